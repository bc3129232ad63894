/* Engine = model, on random histories in random orders, with repetitions and evidence taken back and given again.
 * ROUNDS=n histories (1,000 by default), SEED=n; a failing history is shrunk and printed. */
#include "identity_model.c"
#include "identity_compare.c"
#include "tests/fakes/fakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { OPS_MAX = 3 * MODEL_MESSAGES + 4, APPLY = 0, UNMERGE, RESTORE, SAVE, REOPEN };

struct op { int kind, message; };

struct history {
    Said said[MODEL_MESSAGES];
    int said_count;
    struct op ops[OPS_MAX];
    int op_count;
    int limits[MODEL_EXTERNALS], max_owners;
};

/* ---- Chance ---- */

static const char *users[] = { "u1", "u2", "u3", "10", "9", "x", "y", "GUEST", "null", "4c55-9a0e-1c2d3e" };
static const char *anonymous[] = {
    "a1", "a2", "a3", "x", "y", "u1", " none ", "00000000-0000-000", "9f86d081884c7d65",
};
static const char *externals[MODEL_EXTERNALS][4] = { { "e1", "e2", "e3", "0" },
                                                     { "p1", "p2", "u1", "test-blocked" } };

static void pick(struct fake_dice *dice, char *value, const char *const *from, size_t count, unsigned per_thousand)
{
    value[0] = 0;
    const char *one = from[fake_dice_below(dice, count)];
    if (fake_dice_chance(dice, per_thousand)) snprintf(value, MODEL_VALUE_BYTES, "%s", one);
}

static void make_history(struct history *history, struct fake_dice *dice)
{
    *history = (struct history){ 0 };
    history->said_count = 1 + (int)fake_dice_below(dice, fake_dice_chance(dice, 200) ? MODEL_MESSAGES : 14);
    int instants = 1 + (int)fake_dice_below(dice, 12);
    size_t user_count = 2 + fake_dice_below(dice, countof(users) - 2);
    size_t anonymous_count = 1 + fake_dice_below(dice, countof(anonymous));
    unsigned externals_chance = fake_dice_chance(dice, 500) ? 0 : 250;
    unsigned aliases = fake_dice_chance(dice, 300) ? 500 : 150;
    for (int k = 0; k < MODEL_EXTERNALS; k++) history->limits[k] = (int)fake_dice_below(dice, 4);
    history->max_owners = fake_dice_chance(dice, 700) ? 100 : 1 + (int)fake_dice_below(dice, 4);
    for (int i = 0; i < history->said_count; i++) {
        Said *said = &history->said[i];
        snprintf(said->id, sizeof said->id, "%c%d", "abz"[fake_dice_below(dice, 3)], i);
        said->time = (int)fake_dice_below(dice, (uint64_t)instants);
        said->is_alias = fake_dice_chance(dice, aliases);
        pick(dice, said->user, users, user_count, said->is_alias ? 950 : 550);
        pick(dice, said->anonymous, anonymous, anonymous_count, said->is_alias ? 300 : 800);
        if (fake_dice_chance(dice, said->is_alias ? 950 : 30)) {
            if (fake_dice_chance(dice, 500)) pick(dice, said->previous, users, countof(users), 1000);
            else pick(dice, said->previous, anonymous, countof(anonymous), 1000);
        }
        for (int k = 0; k < MODEL_EXTERNALS; k++) pick(dice, said->externals[k], externals[k], 4, externals_chance);
    }
    /* Every message at least once, in any order, some twice; some evidence taken back, some of it given again. */
    for (int i = 0; i < history->said_count; i++) {
        history->ops[history->op_count++] = (struct op){ APPLY, i };
        if (fake_dice_chance(dice, 150)) history->ops[history->op_count++] = (struct op){ APPLY, i };
        if (fake_dice_chance(dice, 100))
            history->ops[history->op_count++] = (struct op){ fake_dice_chance(dice, 700) ? UNMERGE : RESTORE, i };
    }
    if (fake_dice_chance(dice, 200))
        for (int i = 0; i < 4; i++)
            history->ops[history->op_count++] = (struct op){ fake_dice_chance(dice, 300) ? SAVE : REOPEN, 0 };
    for (int i = history->op_count - 1; i > 0; i--) {
        int k = (int)fake_dice_below(dice, (uint64_t)i + 1);
        struct op op = history->ops[i];
        history->ops[i] = history->ops[k];
        history->ops[k] = op;
    }
}

/* ---- Running ---- */

static Status read_id(void *context, uint64_t position, char text[LIMIT_MESSAGE_ID_BYTES], size_t *ret_len, Err *err)
{
    const struct history *history = context;
    (void)err;
    *ret_len = (size_t)snprintf(text, LIMIT_MESSAGE_ID_BYTES, "%s", history->said[position % 1000].id);
    return OK;
}

static IdentityMessage message_of(const struct history *history, int index, int nth, IdentityValue *values)
{
    const Said *said = &history->said[index];
    IdentityMessage m = {
        .message_id = str_from(said->id), .time_ms = said->time, .source = (uint64_t)said->source,
        .position = (uint64_t)(index + 1000 * nth), .is_alias = said->is_alias, .user_id = str_from(said->user),
        .anonymous_id = str_from(said->anonymous), .previous_id = str_from(said->previous), .externals = values,
    };
    for (int k = 0; k < MODEL_EXTERNALS; k++)
        if (said->externals[k][0])
            values[m.external_count++] = (IdentityValue){ (IdentityKind)(IDENTITY_EXTERNAL + k),
                                                          str_from(said->externals[k]) };
    return m;
}

static bool check_times(struct identity *identity, const struct identity_view *view, const Model *model, int id,
                        uint32_t node, char *complaint)
{
    static const char *message_ids[] = { "", "a5", "b1", "b27", "z3", "zz" };
    for (int time = -1; time < 13; time++) {
        bool needs_id = identity_view_needs_id(view, node, time);
        IdentityPerson plain = identity_view_find_person(view, node, time, STR(""));
        for (size_t i = 0; i < countof(message_ids); i++) {
            int then = owner_at(model, id, time, message_ids[i]);
            IdentityPerson person = identity_find_owner(identity, node, time, str_from(message_ids[i]));
            if (!name_is(identity, person, &model->ids[then]))
                FAIL("%d:%s at (%d, %s) is not %d:%s", NAME(model->ids[id]), time, message_ids[i],
                     NAME(model->ids[then]));
            if (identity_view_find_person(view, node, time, str_from(message_ids[i])) != person)
                FAIL("the view's owner of %d:%s at (%d, %s)", NAME(model->ids[id]), time, message_ids[i]);
            if (!needs_id && plain != person) FAIL("needs_id of %d:%s at %d", NAME(model->ids[id]), time);
        }
    }
    return true;
}

/* Why two are one or two: one exactly where the model says so, and by a path that leads from one to the other. */
static bool check_why(struct identity *identity, const Model *model, int a, int b, Arena scratch, char *complaint)
{
    uint32_t from = identity_find(identity, (IdentityKind)model->ids[a].kind, str_from(model->ids[a].value)), at = from;
    uint32_t to = identity_find(identity, (IdentityKind)model->ids[b].kind, str_from(model->ids[b].value));
    bool is_same = from != IDENTITY_NONE && to != IDENTITY_NONE &&
                   owner_at(model, a, 0, NULL) == owner_at(model, b, 0, NULL);
    IdentityWhy why;
    Err err;
    if (identity_explain(identity, from, to, &scratch, &why, &err)) FAIL("why: %s", err.text);
    if (is_same != (why.reason == IDENTITY_SAME)) FAIL("why %d:%s and %d:%s", NAME(model->ids[a]), NAME(model->ids[b]));
    if (why.reason == IDENTITY_APART_UNSEEN || why.reason == IDENTITY_APART_NO_EVIDENCE) return why.link_count == 0;
    for (size_t i = 0; i < why.link_count; i++) {
        if (why.links[i].from != at && why.links[i].to != at) FAIL("the path from %s breaks", model->ids[a].value);
        at = why.links[i].from == at ? why.links[i].to : why.links[i].from;
        if (is_same && why.links[i].is_removed) FAIL("one by what was taken back: %s", model->ids[a].value);
    }
    if (at != to) FAIL("the path from %d:%s does not lead to %d:%s", NAME(model->ids[a]), NAME(model->ids[b]));
    if (!is_same && why.at == IDENTITY_NONE) FAIL("nothing keeps %s from %s", model->ids[a].value, model->ids[b].value);
    return true;
}

static bool check_all(struct identity *identity, Model *model, Arena scratch, char *complaint)
{
    model_settle(model);
    for (size_t i = 0; i < countof(anonymous); i++) id_of(model, IDENTITY_ANONYMOUS, anonymous[i]);
    for (size_t i = 0; i < countof(users); i++) id_of(model, IDENTITY_ANONYMOUS, users[i]);
    identity_publish(identity);
    const struct identity_view *view = identity_take_view(identity);
    bool ok = true;
    for (int i = 0; ok && i < model->id_count; i++) {
        const Id *id = &model->ids[i];
        uint32_t node = identity_find(identity, (IdentityKind)id->kind, str_from(id->value));
        ok = (node != IDENTITY_NONE) == id->is_seen;
        if (!ok) snprintf(complaint, COMPLAINT_BYTES, "%d:%s seen or not", NAME(*id));
        if (!ok || node == IDENTITY_NONE) continue;
        int now = owner_at(model, i, 0, NULL);
        IdentityPerson person = identity_person_now(identity, node);
        ok = name_is(identity, person, &model->ids[now]) && identity_view_person_now(view, node) == person;
        if (!ok) snprintf(complaint, COMPLAINT_BYTES, "%d:%s is not %d:%s now", NAME(*id), NAME(model->ids[now]));
        if (ok) ok = check_members(identity, model, now, person, scratch, complaint);
        for (int k = 0; ok && k < model->id_count; k += 3) ok = check_why(identity, model, i, k, scratch, complaint);
        if (ok && id->kind != IDENTITY_USER) ok = check_times(identity, view, model, i, node, complaint);
    }
    identity_give_view(identity, view);
    return ok;
}

static Status save_it(struct identity **identity, const IdentityOptions *options, bool reopens, Err *err)
{
    struct kv_txn *txn;
    Status s = kv_begin_write(options->store.kv, &txn, err);
    if (s) return s;
    s = identity_save(*identity, txn, 7, err);
    if (s) kv_abort(txn);
    else s = kv_commit(txn, err);
    identity_end_save(*identity, 7, !s);
    if (s || !reopens) return s;
    identity_close(*identity);
    *identity = NULL;
    return identity_open(options, identity, err);
}

static Status clear_store(struct kv *kv, Err *err)
{
    struct kv_txn *txn;
    Status s = kv_begin_write(kv, &txn, err);
    if (!s) s = kv_clear(txn, 0, err);
    if (!s) s = kv_clear(txn, 1, err);
    return s ? s : kv_commit(txn, err);
}

static struct kv *shared_kv;

static bool run_history(struct history *history, Arena scratch, char *complaint)
{
    static const Str blocked[] = { { "Test-Blocked", 12 } };
    IdentityExternal kinds[] = { { STR("email"), (uint32_t)history->limits[0], false },
                                 { STR("phone"), (uint32_t)history->limits[1], false } };
    IdentityOptions options = { .rules = { blocked, 1, kinds, 2, (uint32_t)history->max_owners, 0 },
                                .archive = { history, read_id }, .seed = 1 };
    static Model model;
    bool is_applied[MODEL_MESSAGES] = { 0 }, ok = true;
    struct identity *identity;
    Err err = { 0 };
    model.count = 0;
    model.max_owners = history->max_owners;
    memcpy(model.limits, history->limits, sizeof model.limits);
    for (int i = 0; i < history->op_count; i++)
        if (history->ops[i].kind >= SAVE) options.store = (IdentityStore){ shared_kv, 0, 1 };
    if (options.store.kv && clear_store(shared_kv, &err)) FAIL("clear: %s", err.text);
    if (identity_open(&options, &identity, &err)) FAIL("open: %s", err.text);
    for (int i = 0; i < history->said_count; i++) history->said[i].is_removed = false;

    for (int i = 0; ok && i < history->op_count; i++) {
        IdentityValue values[MODEL_EXTERNALS];
        IdentityNode subject = IDENTITY_NONE;
        int index = history->ops[i].message;
        Said *said = &history->said[index];
        IdentityMessage m = message_of(history, index, is_applied[index], values);
        int kind = history->ops[i].kind;
        Status s = kind == APPLY     ? identity_apply(identity, &m, &subject, &err)
                   : kind == UNMERGE ? identity_unmerge(identity, &m, &err)
                   : kind == RESTORE ? identity_restore(identity, &m, &err)
                                     : save_it(&identity, &options, kind == REOPEN, &err);
        if (s) ok = (snprintf(complaint, COMPLAINT_BYTES, "op %d: %s", i, err.text), false);
        if (kind == UNMERGE || kind == RESTORE) said->is_removed = history->ops[i].kind == UNMERGE;
        if (kind == APPLY && !is_applied[index]) {
            model.said[model.count++] = said;
            is_applied[index] = true;
        }
        if (ok && (i == history->op_count - 1 || i == history->op_count / 2))
            ok = check_all(identity, &model, scratch, complaint);
    }
    identity_close(identity);
    return ok;
}

/* ---- Failing ---- */

static void shrink(struct history *history, Arena scratch, char *complaint)
{
    for (bool is_smaller = true; is_smaller;) {
        is_smaller = false;
        for (int i = 0; i < history->op_count; i++) {
            struct history less = *history;
            char other[400];
            memmove(less.ops + i, less.ops + i + 1, (size_t)(less.op_count - i - 1) * sizeof *less.ops);
            less.op_count--;
            if (run_history(&less, scratch, other)) continue;
            *history = less;
            memcpy(complaint, other, sizeof other);
            is_smaller = true;
            i--;
        }
    }
}

static void print_history(const struct history *history, const char *complaint)
{
    printf("%s\nlimits %d %d, at most %d owners\n", complaint, history->limits[0], history->limits[1],
           history->max_owners);
    for (int i = 0; i < history->op_count; i++) {
        const Said *said = &history->said[history->ops[i].message];
        printf("  %-7s %-4s at %2d  %s user=%-6s anonymous=%-6s previous=%-6s email=%s phone=%s\n",
               (const char *[]){ "apply", "unmerge", "restore", "save", "reopen" }[history->ops[i].kind],
               said->id, said->time,
               said->is_alias ? "alias" : "other", said->user, said->anonymous, said->previous, said->externals[0],
               said->externals[1]);
    }
}

static void engine_equals_model_on_random_histories(void **state)
{
    const char *rounds_text = getenv("ROUNDS");
    long rounds = rounds_text ? strtol(rounds_text, NULL, 10) : 1000;
    uint64_t seed = fake_seed("identity_model");
    static struct history history;
    struct region region;
    char complaint[COMPLAINT_BYTES] = "";
    (void)state;
    static const char *const tables[] = { "state", "evidence" };
    char dir[] = "/tmp/onym-identity-XXXXXX", path[80];
    Err err;
    assert_non_null(mkdtemp(dir));
    if (kv_open(&(KvOptions){ .dir = dir, .tables = tables, .table_count = 2 }, &shared_kv, &err))
        fail_msg("%s", err.text);
    region_open(&region, 1 << 20);
    for (long round = 0; round < rounds; round++) {
        struct fake_dice dice;
        fake_dice_init(&dice, seed + (uint64_t)round);
        make_history(&history, &dice);
        if (run_history(&history, region_arena(&region), complaint)) continue;
        printf("SEED=%" PRIu64 " (round %ld)\n", seed + (uint64_t)round, round);
        shrink(&history, region_arena(&region), complaint);
        print_history(&history, complaint);
        fail();
    }
    region_close(&region);
    kv_close(shared_kv);
    for (const char *const *name = (const char *const[]){ "data.mdb", "lock.mdb", NULL }; *name; name++) {
        snprintf(path, sizeof path, "%s/%s", dir, *name);
        unlink(path);
    }
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(engine_equals_model_on_random_histories) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

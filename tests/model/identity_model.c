/* The reference: who is who, said as plainly as possible over the set of messages. Slow on purpose. Who includes it
 * may say MODEL_SIZES first, for larger worlds. */
#include "identity/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#ifndef MODEL_SIZES
#define MODEL_SIZES MODEL_VALUE_BYTES = 24, MODEL_EXTERNALS = 2, MODEL_MESSAGES = 48, MODEL_IDS = 64
#endif
enum { MODEL_SIZES, MODEL_LINKS = MODEL_MESSAGES * (3 + MODEL_EXTERNALS) };

typedef struct Id {
    int kind;                                   /* an IdentityKind */
    char value[MODEL_VALUE_BYTES];
    bool is_seen;
    int person;                                 /* of users: the least user that aliases reach */
} Id;

typedef struct Said {                           /* a message */
    char id[MODEL_VALUE_BYTES];
    int time, source;
    bool is_alias, is_removed;
    char user[MODEL_VALUE_BYTES], anonymous[MODEL_VALUE_BYTES], previous[MODEL_VALUE_BYTES];
    char externals[MODEL_EXTERNALS][MODEL_VALUE_BYTES];
} Said;

typedef struct Link { int id, owner; const Said *said; } Link;

typedef struct Model {
    const Said *said[MODEL_MESSAGES];           /* the set: no duplicates */
    int count;
    int limits[MODEL_EXTERNALS], max_owners;
    Id ids[MODEL_IDS];                          /* all below follows from the set: model_settle */
    int id_count;
    Link links[MODEL_LINKS];
    int link_count;
} Model;

static bool is_blocked(const char *value)
{
    static const char *blocked[] = { "null", "undefined", "-1", "guest", "anonymous", "anonymousId", "unknown", "none",
                                     "[object Object]", "test-blocked" };
    char trimmed[MODEL_VALUE_BYTES];
    snprintf(trimmed, sizeof trimmed, "%s", value + strspn(value, " \t\n"));
    for (size_t end = strlen(trimmed); end && strchr(" \t\n", trimmed[end - 1]);) trimmed[--end] = 0;
    for (size_t i = 0; i < countof(blocked); i++)
        if (!strcasecmp(trimmed, blocked[i])) return true;
    return trimmed[strspn(trimmed, "0-")] == 0;
}

/* The index of an identifier; -1 where the value is blocked or empty. */
static int id_of(Model *model, int kind, const char *value)
{
    if (is_blocked(value)) return -1;
    for (int i = 0; i < model->id_count; i++)
        if (model->ids[i].kind == kind && !strcmp(model->ids[i].value, value)) return i;
    check(model->id_count < MODEL_IDS);
    Id *id = &model->ids[model->id_count];
    *id = (Id){ .kind = kind, .person = model->id_count };
    snprintf(id->value, sizeof id->value, "%s", value);
    return model->id_count++;
}

static int strength(const Model *model, int id)
{
    return model->ids[id].kind == IDENTITY_ANONYMOUS ? 99 : model->ids[id].kind;
}

/* (time, messageId) order, then that of values. */
static int in_order(const Model *model, const Said *a, int a_id, const Said *b, int b_id)
{
    if (a->time != b->time) return a->time - b->time;
    return strcmp(a->id, b->id) ? strcmp(a->id, b->id) : strcmp(model->ids[a_id].value, model->ids[b_id].value);
}

/* The identifiers that stand in a message's own fields, all seen by it; the strongest one is its owner. */
static void read_said(Model *model, const Said *said)
{
    int ids[2 + MODEL_EXTERNALS], count = 0, owner = -1;
    ids[count++] = id_of(model, IDENTITY_USER, said->user);
    ids[count++] = id_of(model, IDENTITY_ANONYMOUS, said->anonymous);
    for (int k = 0; k < MODEL_EXTERNALS; k++) ids[count++] = id_of(model, IDENTITY_EXTERNAL + k, said->externals[k]);
    for (int i = 0; i < count; i++) {
        if (ids[i] < 0) continue;
        model->ids[ids[i]].is_seen = true;
        if (i != 1 && (owner < 0 || strength(model, ids[i]) < strength(model, owner))) owner = ids[i];
    }
    for (int i = 0; i < count && owner >= 0 && !said->is_removed; i++)
        if (ids[i] >= 0 && strength(model, ids[i]) > strength(model, owner))
            model->links[model->link_count++] = (Link){ ids[i], owner, said };
}

/* Aliases, once all users are known: of a user they join, of anything else they link. */
static void read_alias(Model *model, const Said *said)
{
    int user = id_of(model, IDENTITY_USER, said->user), previous = id_of(model, IDENTITY_USER, said->previous);
    if (!said->is_alias || user < 0 || previous < 0 || user == previous) return;
    if (!model->ids[previous].is_seen) {
        previous = id_of(model, IDENTITY_ANONYMOUS, said->previous);
        model->ids[previous].is_seen = true;
        if (!said->is_removed) model->links[model->link_count++] = (Link){ previous, user, said };
    } else if (!said->is_removed) {
        int a = model->ids[user].person, b = model->ids[previous].person;
        int least = strcmp(model->ids[a].value, model->ids[b].value) < 0 ? a : b;
        for (int i = 0; i < model->id_count; i++)
            if (model->ids[i].person == a || model->ids[i].person == b) model->ids[i].person = least;
    }
}

/* Of the rivals for a owner's limit, how many come before this one? By the first link of each. */
static int rank(const Model *model, int id, int owner)
{
    const Said *firsts[MODEL_IDS] = { 0 };
    int before = 0;
    for (int i = 0; i < model->link_count; i++) {
        const Link *link = &model->links[i];
        if (link->owner != owner || model->ids[link->id].kind != model->ids[id].kind) continue;
        const Said **first = &firsts[link->id];
        if (!*first || in_order(model, link->said, 0, *first, 0) < 0) *first = link->said;
    }
    for (int i = 0; i < model->id_count; i++)
        before += firsts[i] && in_order(model, firsts[i], i, firsts[id], id) < 0;
    return before;
}

/* Of the links in place (those that count, of the strongest kind): those of ids with too many owners go. */
static void drop_constants(Model *model)
{
    Link all[MODEL_LINKS];
    int count = model->link_count;
    memcpy(all, model->links, sizeof all[0] * (size_t)count);
    model->link_count = 0;
    for (int i = 0; i < count; i++) {
        bool is_owner[MODEL_IDS] = { 0 };
        int owners = 0;
        for (int k = 0; k < count; k++) {
            if (all[k].id != all[i].id || is_owner[all[k].owner]) continue;
            is_owner[all[k].owner] = true;
            owners++;
        }
        if (owners <= model->max_owners) model->links[model->link_count++] = all[i];
    }
}

static void model_settle(Model *model)
{
    model->id_count = model->link_count = 0;
    for (int i = 0; i < model->count; i++) read_said(model, model->said[i]);
    for (int i = 0; i < model->count; i++) read_alias(model, model->said[i]);
    bool counts[MODEL_LINKS];
    for (int i = 0; i < model->link_count; i++) {
        int kind = model->ids[model->links[i].id].kind;
        int limit = kind >= IDENTITY_EXTERNAL ? model->limits[kind - IDENTITY_EXTERNAL] : 0;
        counts[i] = !limit || rank(model, model->links[i].id, model->links[i].owner) < limit;
    }
    Link kept[MODEL_LINKS];
    int kept_count = 0;
    for (int i = 0; i < model->link_count; i++) {            /* only the strongest kind of evidence counts */
        bool is_strongest = counts[i];
        for (int k = 0; k < model->link_count; k++)
            if (counts[k] && model->links[k].id == model->links[i].id)
                is_strongest &= strength(model, model->links[i].owner) <= strength(model, model->links[k].owner);
        if (is_strongest) kept[kept_count++] = model->links[i];
    }
    memcpy(model->links, kept, sizeof kept[0] * (size_t)kept_count);
    model->link_count = kept_count;
    drop_constants(model);
}

/* Whose the id is for an event at (time, message id), NULL: now. The last link before it, else the first one. */
static int owner_at(const Model *model, int id, int time, const char *message_id)
{
    const Link *first = NULL, *last = NULL;
    for (int i = 0; i < model->link_count; i++) {
        const Link *link = &model->links[i];
        const Said *said = link->said;
        if (link->id != id) continue;
        if (!first || in_order(model, said, link->owner, first->said, first->owner) < 0) first = link;
        if (message_id && (said->time > time || (said->time == time && strcmp(said->id, message_id) >= 0))) continue;
        if (!last || in_order(model, said, link->owner, last->said, last->owner) > 0) last = link;
    }
    if (!first) return model->ids[id].person;                /* a user, or nobody's */
    return owner_at(model, last ? last->owner : first->owner, time, message_id);
}

/* Was id ever linked to this person, through external ids, too? */
static bool is_member(const Model *model, int id, int person)
{
    bool is_linked = false;
    for (int i = 0; i < model->link_count; i++) {
        if (model->links[i].id != id) continue;
        is_linked = true;
        if (is_member(model, model->links[i].owner, person)) return true;
    }
    return !is_linked && model->ids[id].person == person;
}

/* The person id of the people who are named after it. */
static void write_person_id(const Id *id, struct buf *out)
{
    static const char *const kinds[] = { "email", "phone" };
    if (id->kind == IDENTITY_USER) buf_str_put(out, STR("u_"));
    else if (id->kind == IDENTITY_ANONYMOUS) buf_str_put(out, STR("a_"));
    else buf_printf(out, "x_%s:", kinds[id->kind - IDENTITY_EXTERNAL]);
    for (const char *c = id->value; *c; c++)
        buf_printf(out, (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || *c == '-' ? "%c" : "~%02X", *c);
}

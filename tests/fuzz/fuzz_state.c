/* fuzz_state: any rows as what a store gives back: identity's slices, shared ids, evidence, lists; profiles, members
 * and names; rows of destinations; and any bytes as the file itself. Checksums would let none of this through; here
 * they are left out. What is read may be called damaged, but nobody may crash, hang, or read outside.
 *
 * The first byte: 0 to 127, the rest is a list of rows: a table (1), the bytes of the key (1), of the value (2, little-
 * endian), key, value; 128 and more, the rest is data.mdb. The store here takes the place of kv_lmdb.c. */
#include <stdlib.h>

#include "deliver/deliver_runner.h"
#include "identity/identity_state.h"
#include "kv/kv_pages.h"
#include "profile/profile.h"
#include "tests/fakes/fakes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STATE, EVIDENCE, TRAITS, GROUPS, MEMBERS, NAMES, TABLES, ROWS_MOST = 512 };

/* ---- A store of rows ---- */

struct row_of { size_t table; Str key, value; };
struct kv { struct row_of rows[ROWS_MOST]; size_t count; };
struct kv_txn { struct kv *kv; };
struct kv_cursor { struct kv *kv; size_t table, at; };

static int compare_rows(const void *a, const void *b)
{
    const struct row_of *x = a, *y = b;
    if (x->table != y->table) return x->table < y->table ? -1 : 1;
    return str_compare(x->key, y->key);
}

Status kv_begin_read(struct kv *kv, struct kv_txn **ret, Err *err)
{
    (void)err;
    *ret = malloc(sizeof **ret);
    check(*ret);
    (*ret)->kv = kv;
    return OK;
}
void kv_end_read(struct kv_txn *txn) { free(txn); }

static size_t lower_bound(const struct kv *kv, size_t table, Str key)
{
    size_t at = 0;
    struct row_of wanted = { table, key, { 0 } };
    while (at < kv->count && compare_rows(&kv->rows[at], &wanted) < 0) at++;
    return at;
}

Status kv_get(struct kv_txn *txn, size_t table, Str key, Str *ret, Err *err)
{
    size_t at = lower_bound(txn->kv, table, key);
    (void)err;
    if (at == txn->kv->count || txn->kv->rows[at].table != table || !str_equal(txn->kv->rows[at].key, key))
        return ERR_NOT_FOUND;
    *ret = txn->kv->rows[at].value;
    return OK;
}

Status kv_cursor_open(struct kv_txn *txn, size_t table, struct kv_cursor **ret, Err *err)
{
    (void)err;
    *ret = malloc(sizeof **ret);
    check(*ret);
    **ret = (struct kv_cursor){ txn->kv, table, 0 };
    return OK;
}
void kv_cursor_close(struct kv_cursor *cursor) { free(cursor); }

static Status tell(const struct kv_cursor *cursor, Str *ret_key, Str *ret_value)
{
    if (cursor->at >= cursor->kv->count || cursor->kv->rows[cursor->at].table != cursor->table) return ERR_NOT_FOUND;
    *ret_key = cursor->kv->rows[cursor->at].key;
    *ret_value = cursor->kv->rows[cursor->at].value;
    return OK;
}

Status kv_find(struct kv_cursor *cursor, Str key, Str *ret_key, Str *ret_value, Err *err)
{
    (void)err;
    cursor->at = lower_bound(cursor->kv, cursor->table, key);
    return tell(cursor, ret_key, ret_value);
}

Status kv_next(struct kv_cursor *cursor, Str *ret_key, Str *ret_value, Err *err)
{
    (void)err;
    cursor->at++;
    return tell(cursor, ret_key, ret_value);
}

Status kv_find_last(struct kv_cursor *cursor, Str key, Str *ret_key, Str *ret_value, Err *err)
{
    Status s = kv_find(cursor, key, ret_key, ret_value, err);
    if (!s && str_equal(*ret_key, key)) return OK;
    if (cursor->at == 0) return ERR_NOT_FOUND;
    cursor->at--;
    return tell(cursor, ret_key, ret_value);
}

Status kv_put(struct kv_txn *txn, size_t table, Str key, Str value, Err *err)
{
    (void)txn, (void)table, (void)key, (void)value;
    return err_set(err, ERR_IO, "nothing is written here");
}
Status kv_remove(struct kv_txn *txn, size_t table, Str key, Err *err) { return kv_put(txn, table, key, key, err); }
Status kv_reserve(struct kv_txn *txn, size_t table, Str key, size_t bytes, void **ret, Err *err)
{
    (void)bytes, (void)ret;
    return kv_put(txn, table, key, key, err);
}

/* ---- Reading it ---- */

static void read_identity(struct kv *kv)
{
    static const IdentityExternal email = { .name = STR("email"), .limit = 2 };
    struct identity *identity;
    struct region region;
    IdentityOptions options = { .rules = { .externals = &email, .external_count = 1 },
                                .store = { kv, STATE, EVIDENCE }, .seed = 1 };
    if (identity_open(&options, &identity, NULL)) return;
    if (identity->run_count > 256) identity->run_count = 256;  /* each is asked for each node: slow, but it ends */
    region_open(&region, 64 * 1024 * 1024);
    for (uint32_t node = 0; node < identity->node_count && node < 64; node++) {
        Arena arena = region_arena(&region);
        char text[LIMIT_ID_BYTES];
        IdentityMember *members;
        IdentityLinks links;
        size_t count;
        if (identity->nodes[node].flags & NODE_ERASED) continue;
        Str value = identity_read_value(identity, node, text);
        (void)identity_find(identity, identity_kind_of(identity, node), value);
        (void)identity_find_owner(identity, node, 5, STR("m"));
        IdentityPerson person = identity_person_now(identity, node);
        if (person != IDENTITY_NONE) (void)!identity_list_members(identity, person, &arena, &members, &count, NULL);
        (void)!identity_list_links(identity, node, 10, &arena, &links, NULL);
    }
    region_close(&region);
    identity_close(identity);
}

static bool visit(void *context, const ProfileValue *value) { return *(size_t *)context += value->json.len, true; }

static void read_profiles(struct kv *kv)
{
    struct profile *profile = profile_open(&(ProfileOptions){ kv, TRAITS, GROUPS, MEMBERS, NAMES });
    struct profile_reader *reader;
    struct region region;
    ProfileValues values;
    ProfileMember members[8];
    ProfileMembers list = { .items = members, .max = countof(members) };
    uint32_t found[8];
    size_t count = 0;
    check(profile_begin_reading(profile, &reader, NULL) == OK);
    region_open(&region, 64 * 1024 * 1024);
    for (size_t at = 0; at < kv->count; at++) {
        Arena arena = region_arena(&region);
        if (kv->rows[at].table != TRAITS || kv->rows[at].key.len != 4) continue;
        ProfileSubject subject = { .subject = kv_read_u32(kv->rows[at].key.bytes) };
        (void)!profile_read_traits(reader, (ProfileSubjects){ &subject, 1 }, &arena, &values, NULL);
        (void)!profile_read_history(reader, (ProfileSubjects){ &subject, 1 }, STR(""), &arena, &values, NULL);
        (void)!profile_read_groups(reader, (ProfileSubjects){ &subject, 1 }, &arena, &values, NULL);
    }
    Arena arena = region_arena(&region);
    (void)!profile_read_group(reader, STR("g"), &arena, &values, NULL);
    (void)!profile_list_group_members(reader, STR("g"), NULL, &list, NULL);
    (void)!profile_find_name(reader, STR("a"), countof(found), found, &count, NULL);
    (void)!profile_visit_trait(reader, STR("plan"), visit, &count, NULL);
    region_close(&region);
    profile_end_reading(reader);
    profile_close(profile);
}

static void read_deliveries(const struct kv *kv)
{
    for (size_t at = 0; at < kv->count; at++) {
        struct delivery *delivery = calloc(1, sizeof *delivery);
        Str calls;
        check(delivery);
        (void)delivery_decode(kv->rows[at].value, delivery);
        buf_done(&delivery->frozen);
        free(delivery);
        (void)dead_json(kv->rows[at].value, &calls);
    }
}

static void read_file(const uint8_t *data, size_t size)
{
    static const char *const tables[] = { "state", "evidence", "traits", "groups", "members", "names" };
    struct fake_disk disk;
    DiskFile file;
    KvPages pages;
    Str bytes = str_of(data, size);
    fake_disk_init(&disk, 1);
    check(disk.disk.open(&disk.disk, "data.mdb", DISK_CREATE, &file, NULL) == OK);
    check(disk.disk.write(&disk.disk, file, 0, &bytes, 1, NULL) == OK);
    disk.disk.close(&disk.disk, file);
    (void)!kv_pages_check(&disk.disk, "data.mdb", tables, countof(tables), &pages, NULL);
    fake_disk_done(&disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kv *kv = calloc(1, sizeof *kv);
    check(kv);
    if (size && data[0] >= 128) {
        read_file(data + 1, size - 1);
        free(kv);
        return 0;
    }
    Str rest = str_of(size ? data + 1 : data, size ? size - 1 : 0);
    while (rest.len >= 4 && kv->count < ROWS_MOST) {
        const unsigned char *head = (const unsigned char *)rest.bytes;
        size_t key = head[1], value = head[2] | (size_t)head[3] << 8;
        if (key == 0 || key > rest.len - 4 || value > rest.len - 4 - key) break;
        kv->rows[kv->count++] = (struct row_of){ head[0] % TABLES, { rest.bytes + 4, key },
                                                 { rest.bytes + 4 + key, value } };
        rest = str_slice(rest, 4 + key + value, rest.len);
    }
    qsort(kv->rows, kv->count, sizeof *kv->rows, compare_rows);
    read_identity(kv);
    read_profiles(kv);
    read_deliveries(kv);
    free(kv);
    return 0;
}

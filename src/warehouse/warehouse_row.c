/* warehouse_row: one walk over a message's tree, which fills a row's values and finds each column's by its hash. */
#include "warehouse_row.h"

#include <stdlib.h>

enum { VALUES_MOST = 64 * 1024 };

struct warehouse_maker {
    WarehouseNaming naming;
    WarehouseValue *values;          /* of the row that is being made */
    size_t value_count, value_capacity;
    struct slots slots;              /* column -> place in values */
    WarehouseDiscard *discards;
    size_t discard_count, discard_capacity, untold_count;
    Str table;
    Arena *arena;
    Millis received_at_ms;
    char path[WAREHOUSE_PATH_BYTES];
    bool is_context;                 /* what is walked is the context: its names may begin so */
};

struct warehouse_maker *warehouse_maker_open(WarehouseNaming naming)
{
    struct warehouse_maker *maker = calloc(1, sizeof *maker);
    check(maker);
    maker->naming = naming;
    return maker;
}

void warehouse_maker_close(struct warehouse_maker *maker)
{
    if (!maker) return;
    free(maker->values);
    free(maker->discards);
    slots_done(&maker->slots);
    free(maker);
}

/* ---- Values ---- */

static void discard(struct warehouse_maker *maker, Str column, Str text, const char *reason)
{
    if (maker->discard_count >= WAREHOUSE_DISCARDS_A_MESSAGE) {
        maker->untold_count++;
        return;
    }
    check(vector_reserve(maker->discards, maker->discard_capacity, maker->discard_count + 1, VALUES_MOST));
    maker->discards[maker->discard_count++] = (WarehouseDiscard){ maker->table, column, text, reason };
}

static WarehouseValue *find_value(struct warehouse_maker *maker, Str column, uint64_t hash)
{
    for (uint32_t at, probe = 0; (at = slots_next(&maker->slots, hash, &probe)) != SLOTS_NONE;)
        if (str_equal(maker->values[at].column, column)) return &maker->values[at];
    return NULL;
}

static void append(struct warehouse_maker *maker, WarehouseValue value, uint64_t hash)
{
    check(slots_reserve(&maker->slots, (uint32_t)maker->value_count + 1));
    check(vector_reserve(maker->values, maker->value_capacity, maker->value_count + 1, VALUES_MOST));
    slots_put(&maker->slots, hash, (uint32_t)maker->value_count);
    maker->values[maker->value_count++] = value;
}

/* An absent value still says that the table has the column. */
static void put_fixed(struct warehouse_maker *maker, const char *column, WarehouseType type, Str text)
{
    Str name = str_from(column), none = { NULL, 0 };
    append(maker, (WarehouseValue){ name, type, text.len ? text : none, true }, hash_64(name, 0));
}

static void put_instant(struct warehouse_maker *maker, const char *column, Millis at_ms)
{
    Str text = { NULL, 0 };
    if (at_ms != INSTANT_NONE) {
        char *bytes = arena_bytes(maker->arena, INSTANT_TEXT_BYTES);
        instant_write(at_ms, bytes);
        text = (Str){ bytes, INSTANT_TEXT_BYTES };
    }
    put_fixed(maker, column, WAREHOUSE_TIMESTAMP, text);
}

/* uuid_ts is the loader's; anonymous_id and user_id are no columns of users, and would be taken for who somebody is.
 * The last six are PostgreSQL's own in every table: it makes no column of such a name. */
static bool is_reserved(const struct warehouse_maker *maker, Str column)
{
    static const char *const words[] = { "uuid_ts", "id", "anonymous_id", "user_id", "received_at", "sent_at",
                                         "timestamp", "original_timestamp", "ctid", "xmin", "cmin", "xmax", "cmax",
                                         "tableoid" };
    if (maker->is_context) return false;
    for (size_t at = 0; at < countof(words); at++)
        if (str_equal(column, str_from(words[at]))) return true;
    return str_starts(column, STR("context_"));
}

/* The words of a path are made beside: of each only the name stays. */
static Str name_column(struct warehouse_maker *maker, Str path)
{
    char name[WAREHOUSE_NAME_BYTES];
    Arena scratch = *maker->arena;
    Str made = warehouse_name(maker->naming, path, &scratch);
    memcpy(name, made.bytes, made.len);
    return arena_copy(maker->arena, str_of(name, made.len));
}

static void put_value(struct warehouse_maker *maker, Str path, const TreeNode *node)
{
    WarehouseType type = warehouse_type_of(node);
    Str text = warehouse_value_text(node);
    if (type == WAREHOUSE_NULL) return;
    Str column = name_column(maker, path);
    if (!column.len) {
        discard(maker, arena_copy(maker->arena, path), text, "no_name");
        return;
    }
    uint64_t hash = hash_64(column, 0);
    WarehouseValue *before = find_value(maker, column, hash);
    if (before && before->is_fixed && before->text.bytes && str_equal(before->text, text)) return;   /* a page's name */
    if ((before && before->is_fixed) || is_reserved(maker, column)) {
        discard(maker, column, text, "reserved");
    } else if (before) {
        discard(maker, column, before->text, "same_column");
        before->type = type;
        before->text = text;
    } else {
        append(maker, (WarehouseValue){ column, type, text, false }, hash);
    }
}

/* Members of the object under the path that is there already. */
static void walk(struct warehouse_maker *maker, const TreeNode *object, size_t path_len)
{
    if (!event_tree_is_kind(object, FIELD_OBJECT)) return;
    for (const TreeNode *node = object->first; node; node = node->next) {
        size_t len = path_len;
        if (path_len + 1 + node->key.len > sizeof maker->path) {
            if (node->kind != FIELD_NULL)
                discard(maker, arena_copy(maker->arena, str_of(maker->path, path_len)), node->raw, "name_too_long");
            continue;
        }
        if (len) maker->path[len++] = '_';
        memcpy(maker->path + len, node->key.bytes, node->key.len);
        len += node->key.len;
        if (node->kind == FIELD_OBJECT) walk(maker, node, len);
        else put_value(maker, str_of(maker->path, len), node);
    }
}

/* ---- Rows ---- */

static void begin(struct warehouse_maker *maker, Str table)
{
    maker->value_count = 0;
    slots_clear(&maker->slots);
    maker->table = table;
}

static void put_context(struct warehouse_maker *maker, const TreeNode *root)
{
    memcpy(maker->path, "context", 7);
    maker->is_context = true;
    walk(maker, event_tree_get(root, STR("context")), 7);
    maker->is_context = false;
}

static void put_common(struct warehouse_maker *maker, const Event *event)
{
    put_fixed(maker, "id", WAREHOUSE_TEXT, event->message_id);
    put_instant(maker, "received_at", maker->received_at_ms);
    put_instant(maker, "sent_at", event->sent_at_ms);
    put_instant(maker, "timestamp", event->timestamp_ms);
    put_instant(maker, "original_timestamp", event->original_timestamp_ms);
    put_fixed(maker, "anonymous_id", WAREHOUSE_TEXT, event->anonymous_id);
    put_fixed(maker, "user_id", WAREHOUSE_TEXT, event->user_id);
}

static void end(struct warehouse_maker *maker, WarehouseMessage *message, Str id, bool is_upsert)
{
    WarehouseValue *values = arena_new(maker->arena, WarehouseValue, maker->value_count);
    memcpy(values, maker->values, maker->value_count * sizeof *values);
    message->rows[message->row_count++] = (WarehouseRow){ .table = maker->table, .id = id, .is_upsert = is_upsert,
                                                          .values = values, .count = maker->value_count };
}

static void put_own(struct warehouse_maker *maker, const Event *event, Str slug)
{
    switch (event->type) {
    case EVENT_TRACK:
        put_fixed(maker, "event", WAREHOUSE_TEXT, slug);
        put_fixed(maker, "event_text", WAREHOUSE_TEXT, event->name);
        break;
    case EVENT_PAGE: case EVENT_SCREEN:
        put_fixed(maker, "name", WAREHOUSE_TEXT, event->name);
        put_fixed(maker, "category", WAREHOUSE_TEXT, event->category);
        break;
    case EVENT_GROUP: put_fixed(maker, "group_id", WAREHOUSE_TEXT, event->group_id); break;
    case EVENT_ALIAS: put_fixed(maker, "previous_id", WAREHOUSE_TEXT, event->previous_id); break;
    case EVENT_IDENTIFY: case EVENT_NONE: case EVENT_TYPE_COUNT: break;
    }
}

static const struct { const char *table, *members, *upserts; } tables[EVENT_TYPE_COUNT] = {
    [EVENT_TRACK] = { "tracks", NULL, NULL }, [EVENT_IDENTIFY] = { "identifies", "traits", "users" },
    [EVENT_PAGE] = { "pages", "properties", NULL }, [EVENT_SCREEN] = { "screens", "properties", NULL },
    [EVENT_GROUP] = { "groups", "traits", "accounts" }, [EVENT_ALIAS] = { "aliases", "traits", NULL },
};

/* Called like a view of ours, or like the index that PostgreSQL makes for a key: tracks_pkey, long_name_pkey1. */
static bool is_of_another(Str name)
{
    size_t len = name.len;
    while (len && name.bytes[len - 1] >= '0' && name.bytes[len - 1] <= '9') len--;
    return str_ends(name, STR(WAREHOUSE_RESOLVED)) || str_ends(str_slice(name, 0, len), STR("_pkey"));
}

/* The event's own table, out of the way of those that are there anyway. */
static Str event_table(struct warehouse_maker *maker, Str slug)
{
    bool is_taken = str_starts(slug, STR("onym_"));
    for (EventType type = EVENT_NONE; type < EVENT_TYPE_COUNT; type++) {
        if (tables[type].table) is_taken |= str_equal(slug, str_from(tables[type].table));
        if (tables[type].upserts) is_taken |= str_equal(slug, str_from(tables[type].upserts));
    }
    if (is_taken) slug = warehouse_name_fit(arena_printf(maker->arena, "_%.*s", STR_FORMAT(slug)), maker->arena);
    if (!is_of_another(slug)) return slug;
    return warehouse_name_fit(arena_printf(maker->arena, "%.*s_", STR_FORMAT(slug)), maker->arena);
}

/* The second row of a track: with the properties, in the event's table. */
static void make_event_row(struct warehouse_maker *maker, const Event *event, const TreeNode *root, Str slug,
                           WarehouseMessage *message)
{
    const TreeNode *properties = event_tree_get(root, STR("properties"));
    if (!slug.len) {
        if (event_tree_is_kind(properties, FIELD_OBJECT) && properties->first)
            discard(maker, STR("properties"), properties->raw, "no_event_name");
        return;
    }
    begin(maker, event_table(maker, slug));
    put_common(maker, event);
    put_own(maker, event, slug);
    put_context(maker, root);
    walk(maker, properties, 0);
    end(maker, message, event->message_id, false);
}

/* users of an identify, accounts of a group. */
static void make_upsert(struct warehouse_maker *maker, const Event *event, const TreeNode *root, Str id,
                        WarehouseMessage *message)
{
    size_t told = maker->discard_count, untold = maker->untold_count;
    begin(maker, str_from(tables[event->type].upserts));
    put_fixed(maker, "id", WAREHOUSE_TEXT, id);
    put_instant(maker, "received_at", maker->received_at_ms);
    put_context(maker, root);
    walk(maker, event_tree_get(root, STR("traits")), 0);
    maker->discard_count = told;                             /* the same as of the first row */
    maker->untold_count = untold;
    end(maker, message, id, true);
}

Status warehouse_make_rows(struct warehouse_maker *maker, const Event *event, Arena *arena, WarehouseMessage *ret,
                           Err *err)
{
    const TreeNode *root;
    *ret = (WarehouseMessage){ .id = event->message_id };
    if (event->type <= EVENT_NONE || event->type >= EVENT_TYPE_COUNT) return OK;
    Status s = event_tree_read(event->json, arena, &root, err);
    if (s) return s;
    maker->arena = arena;
    /* When it first came in, wherever that was: of an import its JSON says so. */
    if (!event->from_import || !instant_parse(event_tree_text(root, "receivedAt"), &maker->received_at_ms))
        maker->received_at_ms = event->received_at_ms;
    ret->received_at_ms = maker->received_at_ms;
    maker->discard_count = maker->untold_count = 0;
    Str slug = event->type == EVENT_TRACK ? warehouse_name(maker->naming, event->name, arena) : STR("");
    begin(maker, str_from(tables[event->type].table));
    put_common(maker, event);
    put_own(maker, event, slug);
    put_context(maker, root);
    if (tables[event->type].members)
        walk(maker, event_tree_get(root, str_from(tables[event->type].members)), 0);
    end(maker, ret, event->message_id, false);
    if (event->type == EVENT_TRACK) make_event_row(maker, event, root, slug, ret);
    if (event->type == EVENT_IDENTIFY && event->user_id.len) make_upsert(maker, event, root, event->user_id, ret);
    if (event->type == EVENT_GROUP && event->group_id.len) make_upsert(maker, event, root, event->group_id, ret);
    ret->discards = maker->discards;
    ret->discard_count = maker->discard_count;
    ret->untold_count = maker->untold_count;
    return OK;
}

Status warehouse_make_person(struct warehouse_maker *maker, const WarehousePerson *person, Arena *arena,
                             WarehouseMessage *ret, Err *err)
{
    const TreeNode *root;
    *ret = (WarehouseMessage){ .id = person->person_id };
    Status s = event_tree_read(person->traits, arena, &root, err);
    if (s) return s;
    maker->arena = arena;
    maker->discard_count = maker->untold_count = 0;
    begin(maker, STR("onym_people"));
    put_fixed(maker, "person_id", WAREHOUSE_TEXT, person->person_id);
    put_fixed(maker, "user_id", WAREHOUSE_TEXT, person->user_id);
    put_instant(maker, "first_seen", person->first_seen_ms);
    put_instant(maker, "last_seen", person->last_seen_ms);
    walk(maker, root, 0);
    end(maker, ret, person->person_id, true);
    ret->rows[0].is_whole = true;
    return OK;
}

/* ask_events: which events and fields there are, for lists and completion; docs/queries.md defines every number. The
 * back end of questions finds them (scan/scan_catalogue.h).
 */
#include "ask_answer.h"

#include <stdlib.h>

enum { ENTRIES_A_LOOK = 1 << 16 };

struct listing {
    Query query;
    Str search;
    CatalogueSpec spec;
    uint32_t limit;
    struct catalogue *told;
};

static bool matches(const struct listing *listing, Str text) { return catalogue_matches(listing->search, text); }

/* ---- Events ---- */

/* Events that are not told apart may be of several types. */
static EventType rest_type(const struct listing *listing)
{
    uint32_t types = listing->told->rest_types;
    return types && !(types & (types - 1)) ? (EventType)__builtin_ctz(types) : EVENT_NONE;
}

static void write_events(struct listing *listing, struct buf *answer)
{
    const CatalogueValue *entries = listing->told->values;
    uint32_t told = 0;
    json_array(answer, "events");
    for (uint32_t at = 0; at < listing->told->value_count && told < listing->limit; at++) {
        bool is_rest = entries[at].value.kind == INDEX_OTHER;
        Str text = entries[at].value.text, name = is_rest ? (Str){ 0 } : str_slice(text, 1, text.len);
        EventType type = is_rest ? rest_type(listing) : (EventType)(text.bytes[0] - '0');
        if (!matches(listing, name.len ? name : str_from(event_type_word(type)))) continue;
        told++;
        json_object(answer, NULL);
        json_name(answer, STR("event"));
        if (entries[at].value.kind == INDEX_OTHER) value_write(&entries[at].value, answer);
        else event_write(text, type == EVENT_PAGE && !name.len, answer);
        json_word(answer, "type", event_type_word(type));
        json_string(answer, "name", name);
        json_uint(answer, "count", entries[at].count);
        answer_instant(answer, "last_seen", entries[at].last_ms);
        json_object_end(answer);
    }
    json_array_end(answer);
}

/* ---- Fields ---- */

static void write_types(const CatalogueField *field, bool has_bool, struct buf *answer)
{
    uint64_t numbers = field->number_count, texts = field->text_count;
    const struct { const char *word; bool is_there; } types[] = {
        { "boolean", has_bool || (!numbers && !texts && !field->has_list && field->count > field->other) },
        { "number", numbers }, { "text", texts }, { "list", field->has_list },
        { "other", field->other },
    };
    json_array(answer, "types");
    for (size_t at = 0; at < countof(types); at++)
        if (types[at].is_there) json_word(answer, NULL, types[at].word);
    json_array_end(answer);
}

static void write_field(const CatalogueField *field, bool has_bool, struct buf *answer)
{
    json_object(answer, NULL);
    json_string(answer, "field", field->name);
    json_uint(answer, "count", field->count);
    if (field->count) answer_instant(answer, "last_seen", field->last_ms);
    else json_null(answer, "last_seen");
    write_types(field, has_bool, answer);
}

static void write_fields(const struct listing *listing, struct buf *answer)
{
    json_array(answer, "properties");
    for (uint32_t at = 0; at < listing->told->field_count; at++) {
        const CatalogueField *field = &listing->told->fields[at];
        if (!field->count) continue;
        write_field(field, false, answer);
        json_array(answer, "examples");
        for (uint32_t number = 0; number < field->number_count; number++) value_write(&field->numbers[number], answer);
        for (uint32_t text = 0; text < field->text_count; text++) value_write(&field->texts[text], answer);
        json_array_end(answer);
        json_object_end(answer);
    }
    json_array_end(answer);
}

static int compare_traits(const void *a, const void *b)
{
    const QueryTrait *left = a, *right = b;
    if (left->people != right->people) return left->people > right->people ? -1 : 1;
    return str_compare(left->name, right->name);
}

static Status write_traits(struct listing *listing, struct buf *answer, Err *err)
{
    const QueryWorld *world = listing->query.world;
    QueryTrait *traits = NULL;
    size_t count = 0, told = 0;
    Status s = OK;
    if (world->list_traits) s = world->list_traits(world->context, listing->query.arena, &traits, &count, err);
    if (!s && count) qsort(traits, count, sizeof *traits, compare_traits);
    json_array(answer, "traits");
    for (size_t at = 0; !s && at < count && told < listing->limit; at++) {
        if (!matches(listing, traits[at].name)) continue;
        told++;
        json_object(answer, NULL);
        json_name(answer, STR("field"));
        char name[600];
        struct buf text;
        buf_init_fixed(&text, name, sizeof name);
        buf_str_put(&text, STR("traits."));
        buf_str_put(&text, str_slice(traits[at].name, 0, 512));
        json_string(answer, NULL, buf_str(&text));
        json_uint(answer, "people", traits[at].people);
        json_object_end(answer);
    }
    json_array_end(answer);
    return s;
}

/* ---- One field's values ---- */

static Status answer_field(struct listing *listing, struct buf *answer, Err *err)
{
    const CatalogueField none = { .name = listing->spec.field }, *field = &none;
    const CatalogueValue *entries = listing->told->values;
    uint32_t told = 0, all = 0;
    bool has_bool = false;
    if (listing->told->field_count) field = &listing->told->fields[0];
    for (uint32_t at = 0; at < listing->told->value_count; at++) has_bool |= entries[at].value.kind == INDEX_BOOL;
    write_field(field, has_bool, answer);
    json_array(answer, "values");
    for (uint32_t at = 0; at < listing->told->value_count; at++) {
        Status s = at % ENTRIES_A_LOOK == 0 ? answer_go_on(listing->query.world, err) : OK;
        if (s) return s;
        const IndexValue *value = &entries[at].value;
        if (listing->search.len && (value->kind != INDEX_STRING || !matches(listing, value->text))) continue;
        if (all++ >= listing->limit) continue;
        told++;
        json_object(answer, NULL);
        json_name(answer, STR("value"));
        value_write(value, answer);
        json_uint(answer, "count", entries[at].count);
        json_object_end(answer);
    }
    json_array_end(answer);
    json_uint(answer, "values_left_out", all - told);
    answer_moment(listing->query.world, answer);
    json_object_end(answer);
    return OK;
}

/* ---- The whole ---- */

static Status answer_overview(struct listing *listing, struct buf *answer, Err *err)
{
    json_object(answer, NULL);
    write_events(listing, answer);
    write_fields(listing, answer);
    Status s = write_traits(listing, answer, err);
    answer_moment(listing->query.world, answer);
    json_object_end(answer);
    return s;
}

static Status parse_text(struct listing *listing, const char *member, Str *ret, Err *err)
{
    const TreeNode *json = event_tree_get(listing->query.root, str_from(member));
    if (!json || json->kind == FIELD_NULL) return OK;
    if (json->kind != FIELD_STRING) return err_set_field(err, member, "a text was expected");
    *ret = json->text;
    return OK;
}

Status answer_events(Str question, const QueryWorld *world, Arena *arena, struct buf *answer, Err *err)
{
    static const char *const allowed[] = { "field", "search", "limit", NULL };
    struct listing listing = { 0 };
    Query *query = &listing.query;
    Str field = { 0 };
    Status s = query_open(query, question, world, arena, allowed, err);
    if (!s) s = parse_text(&listing, "search", &listing.search, err);
    if (!s) s = query_field(query, event_tree_get(query->root, STR("field")), "field", &field);
    if (!s) s = query_count(query, "limit", field.len ? 20 : 100, 1, 1000, &listing.limit);
    if (s) return s;
    listing.spec = (CatalogueSpec){ .field = field, .search = listing.search, .field_max = listing.limit };
    s = scan_list(query, &listing.spec, &listing.told, err);
    if (s) return s;
    s = field.len ? answer_field(&listing, answer, err) : answer_overview(&listing, answer, err);
    listing.told->close(listing.told);
    return s;
}

/* query_groups: the values of a breakdown, as they are numbered and written. */
#include "query_scan.h"

/* Values compare by kind and bytes; numbers by their bits (there is no NaN, and -0 was made 0). */
static uint64_t value_hash(const IndexValue *value)
{
    if (value->kind == INDEX_STRING) return hash_64(value->text, value->kind);
    return hash_64(str_of(&value->number, sizeof value->number), value->kind);
}

static bool value_is(const IndexValue *a, const IndexValue *b)
{
    if (a->kind != b->kind) return false;
    return a->kind == INDEX_STRING ? str_equal(a->text, b->text) : a->number == b->number;
}

int group_compare_values(const void *a, const void *b)
{
    const IndexValue *left = a, *right = b;
    static const int order[] = { [INDEX_NOTHING] = 0, [INDEX_OTHER] = 1, [INDEX_BOOL] = 2, [INDEX_NUMBER] = 3,
                                 [INDEX_STRING] = 4 };
    if (left->kind != right->kind) return order[left->kind] - order[right->kind];
    if (left->kind == INDEX_STRING) return str_compare(left->text, right->text);
    return (left->number > right->number) - (left->number < right->number);
}

int group_compare(const Groups *groups, uint32_t a, uint32_t b)
{
    return group_compare_values(&groups->values[a], &groups->values[b]);
}

static uint32_t find_or_add(Groups *groups, const IndexValue *value, Arena *arena)
{
    uint32_t slot = (uint32_t)(value_hash(value) % groups->slot_count), found;
    for (; (found = groups->slots[slot]) != 0; slot = (slot + 1) % groups->slot_count)
        if (value_is(&groups->values[found], value)) return found;
    if (groups->count == groups->max) return groups->is_full = true, GROUP_NOTHING;
    IndexValue *to = &groups->values[groups->count];
    *to = *value;
    if (value->kind == INDEX_STRING) {
        char *bytes = arena_try(arena, 1, 1, value->text.len);
        if (!bytes) return groups->is_full = true, GROUP_NOTHING;
        memcpy(bytes, value->text.bytes, value->text.len);
        to->text.bytes = bytes;
    }
    return groups->slots[slot] = groups->count++;
}

uint32_t groups_intern(Groups *groups, const IndexValue *value, Arena *arena)
{
    if (value->kind == INDEX_NOTHING) return GROUP_NOTHING;
    while (atomic_flag_test_and_set_explicit(&groups->is_busy, memory_order_acquire)) continue;
    uint32_t group = find_or_add(groups, value, arena);
    atomic_flag_clear_explicit(&groups->is_busy, memory_order_release);
    return group;
}

void event_write(Str event, struct buf *answer)
{
    static const char *const prefixes[EVENT_TYPE_COUNT]
        = { [EVENT_PAGE] = "page:", [EVENT_SCREEN] = "screen:" };
    EventType type = (EventType)(event.bytes[0] - '0');
    Str name = str_slice(event, 1, event.len);
    char text[LIMIT_EVENT_NAME_BYTES + 16];
    struct buf label;
    buf_init_fixed(&label, text, sizeof text);
    if (type < EVENT_TYPE_COUNT && prefixes[type]) buf_str_put(&label, str_from(prefixes[type]));
    if (name.len) buf_str_put(&label, name);
    else if (type != EVENT_PAGE && type != EVENT_SCREEN) buf_str_put(&label, str_from(event_type_word(type)));
    buf_json_string(answer, buf_str(&label));
}

void value_write(const IndexValue *value, struct buf *answer)
{
    switch (value->kind) {
    case INDEX_NOTHING: buf_str_put(answer, STR("null")); break;
    case INDEX_BOOL: buf_str_put(answer, value->number != 0 ? STR("true") : STR("false")); break;
    case INDEX_NUMBER: buf_json_double(answer, value->number); break;
    case INDEX_OTHER: buf_str_put(answer, STR("\"(not indexed)\"")); break;
    case INDEX_STRING: buf_json_string(answer, value->text); break;
    }
}

void group_write(const Groups *groups, uint32_t group, struct buf *answer)
{
    const IndexValue *value = &groups->values[group];
    if (groups->is_events && value->kind == INDEX_STRING) event_write(value->text, answer);
    else value_write(value, answer);
}

void plan_write_warnings(const Plan *plan, struct buf *answer)
{
    buf_str_put(answer, STR("\"warnings\":["));
    for (uint32_t at = 0; at < plan->warning_count; at++) {
        buf_printf(answer, "%s{\"field\":", at ? "," : "");
        buf_json_string(answer, plan->warnings[at]);
        buf_str_put(answer,
                    STR(",\"message\":\"some values of this field are not indexed: lists, texts over 508 bytes, "
                                "or the rarest of very many\"}"));
    }
    if (plan->groups.is_full)
        buf_printf(answer, "%s{\"field\":\"by\",\"message\":\"of over a million different values some are counted "
                           "as none\"}", plan->warning_count ? "," : "");
    if (plan->has_lost_columns)
        buf_printf(answer,
                   "%s{\"field\":null,\"message\":\"some fields are not indexed: nested too deep, or too many "
                           "different ones\"}", plan->warning_count || plan->groups.is_full ? "," : "");
    buf_char(answer, ']');
}

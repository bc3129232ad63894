/* scan_groups: numbers and writes the values of a breakdown. Their table is not base/slots: it is in the question's
 * memory, takes four bytes for each slot, and never grows. */
#include "scan.h"

#include <stdio.h>

/* Numbers are hashed by their bits (there is no NaN, and -0 was made 0). */
uint64_t group_value_hash(const IndexValue *value)
{
    if (value->kind == INDEX_STRING || value->kind == INDEX_LIST) return hash_64(value->text, value->kind);
    double number = value->number + 0.0;                       /* not -0, which is the same */
    return hash_64(str_of(&number, sizeof number), value->kind);
}

static bool value_is(const IndexValue *a, const IndexValue *b)
{
    return group_compare_values(a, b) == 0;
}

int group_compare_values(const void *a, const void *b)
{
    const IndexValue *left = a, *right = b;
    static const int order[] = { [INDEX_NOTHING] = 0, [INDEX_OTHER] = 1, [INDEX_BOOL] = 2, [INDEX_NUMBER] = 3,
                                 [INDEX_STRING] = 4, [INDEX_LIST] = 5 };
    if (left->kind != right->kind) return order[left->kind] - order[right->kind];
    if (left->kind == INDEX_STRING || left->kind == INDEX_LIST) return str_compare(left->text, right->text);
    if (left->kind == INDEX_NUMBER) return value_compare_numbers(left, right);
    return (left->number > right->number) - (left->number < right->number);
}

int group_compare(const Groups *groups, uint32_t a, uint32_t b)
{
    return group_compare_values(&groups->values[a], &groups->values[b]);
}

static uint32_t find_or_add(Groups *groups, const IndexValue *value, Arena *arena)
{
    uint32_t slot = (uint32_t)(group_value_hash(value) % groups->slot_count), found;
    for (; (found = groups->slots[slot]) != 0; slot = (slot + 1) % groups->slot_count)
        if (value_is(&groups->values[found], value)) return found;
    size_t text_len = value->text.len;
    if (groups->count == groups->max || text_len > GROUPS_TEXT_BYTES - groups->text_len) {
        groups->is_folded = true;
        return GROUP_OTHER;
    }
    IndexValue *to = &groups->values[groups->count];
    *to = *value;
    if (text_len) {
        char *bytes = arena_try(arena, 1, 1, text_len);
        if (!bytes) return GROUP_NO_MEMORY;
        memcpy(bytes, value->text.bytes, text_len);
        groups->text_len += text_len;
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

/* Is the name alone enough as a label: does it mean the track event of that name and nothing else? */
static bool is_plain_track(Str name)
{
    Selector selector = { 0 };
    selector_read_text(name, &selector);
    return name.len && selector.type == EVENT_TRACK && !selector.is_any_name && str_equal(selector.name, name);
}

/* Writes the text for which selector_read_text gives exactly these events. */
void event_write(Str event, bool is_ambiguous, struct buf *answer)
{
    EventType type = (EventType)(event.bytes[0] - '0');
    Str name = str_slice(event, 1, event.len);
    char text[LIMIT_EVENT_NAME_BYTES + 16];
    struct buf label;
    bool is_page = type == EVENT_PAGE || type == EVENT_SCREEN;
    buf_init_fixed(&label, text, sizeof text);
    if (type >= EVENT_TYPE_COUNT || (type == EVENT_TRACK && is_plain_track(name))) buf_str_put(&label, name);
    else {
        bool is_exact = is_page ? is_ambiguous || str_equal(name, STR("*")) : type == EVENT_TRACK || name.len;
        buf_str_put(&label, str_from(event_type_word(type)));
        if (is_page || is_exact) buf_char(&label, is_exact ? '=' : ':');
        buf_str_put(&label, name);
    }
    json_string(answer, NULL, buf_str(&label));
}

void value_write(const IndexValue *value, struct buf *answer)
{
    switch (value->kind) {
    case INDEX_NOTHING: json_null(answer, NULL); break;
    case INDEX_BOOL: json_bool(answer, NULL, value->number != 0); break;
    case INDEX_NUMBER:
        if (value->text.len) json_raw(answer, NULL, value->text);
        else json_double(answer, NULL, value->number);
        break;
    case INDEX_LIST: json_raw(answer, NULL, value->text); break;
    case INDEX_OTHER: json_word(answer, NULL, VALUE_NOT_INDEXED); break;
    case INDEX_STRING: json_string(answer, NULL, value->text); break;
    }
}

void group_write(const Groups *groups, uint32_t group, struct buf *answer)
{
    const IndexValue *value = &groups->values[group];
    const uint64_t *is_ambiguous = groups->is_ambiguous;
    if (groups->told_other && value->kind == INDEX_OTHER) *groups->told_other = true;
    if (groups->is_events && value->kind == INDEX_STRING)
        event_write(value->text, is_ambiguous && is_ambiguous[group / 64] >> group % 64 & 1, answer);
    else value_write(value, answer);
}

static void write_warning(Str field, Str message, struct buf *answer)
{
    json_object(answer, NULL);
    json_string_or_null(answer, "field", field);
    json_string(answer, "message", message);
    json_object_end(answer);
}

/* Warns about values that were not plain numbers. */
static void write_texts(const Plan *plan, struct buf *answer)
{
    for (uint32_t at = 0; at < plan->text_count; at++) {
        const PlanTexts *texts = &plan->texts[at];
        const struct { uint64_t count; const char *what; } kinds[] = {
            { texts->read, "values are numbers written as text, and were read as numbers" },
            { texts->unread, "values are no numbers, and were left out" },
            { texts->big, "integers over 2^53 were taken with 16 digits" },
        };
        for (size_t kind = 0; kind < countof(kinds); kind++) {
            char text[128];
            if (!kinds[kind].count) continue;
            snprintf(text, sizeof text, "%" PRIu64 " %s", kinds[kind].count, kinds[kind].what);
            write_warning(texts->field, str_from(text), answer);
        }
    }
}

void plan_note_field(PlanFields *fields, Str name)
{
    for (uint32_t at = 0; at < fields->count; at++)
        if (str_equal(fields->names[at], name)) return;
    if (fields->count < countof(fields->names)) fields->names[fields->count++] = name;
}

void plan_note_folded(Plan *plan, const Plan *of)
{
    if (of->groups.is_folded) plan_note_field(&plan->folded, of->by_label);
    for (uint32_t at = 0; at < of->folded.count; at++) plan_note_field(&plan->folded, of->folded.names[at]);
}

void plan_write_warnings(const Plan *plan, const Query *query, struct buf *answer)
{
    json_array(answer, "warnings");
    for (uint32_t at = 0; at < query->note_count; at++)
        write_warning(query->notes[at].field ? str_from(query->notes[at].field) : (Str){ 0 },
                      query->notes[at].text, answer);
    for (uint32_t at = 0; at < plan->objects.count; at++)
        write_warning(plan->objects.names[at],
                      STR("it is an object in some events, which count as those without it: ask for what is in it, by "
                          "its name after a dot"), answer);
    for (uint32_t at = 0; at < plan->unkept.count; at++)
        write_warning(plan->unkept.names[at],
                      STR("some values of this field are told as (not indexed): objects and lists of them, texts over "
                          "508 bytes, or the rarest of very many"), answer);
    write_texts(plan, answer);
    if (plan->has_unindexed_events)
        write_warning(STR("event"), STR("told as (not indexed): the rarest of very many events, and pages whose path "
                                        "is no text or over 508 bytes"), answer);
    for (uint32_t at = 0; at < plan->folded.count; at++)
        write_warning(plan->folded.names[at],
                      STR("it has very many different values: the rarest are told together as (not indexed), which as "
                          "an event or in a filter does not ask for them"), answer);
    if (plan->named_accounts.is_folded) {
        char text[96];
        snprintf(text, sizeof text, "over %u different groups: those of the fewest events are left out",
                 plan->named_accounts.max);
        write_warning(STR("of"), str_from(text), answer);
    }
    if (plan->has_old_groups)
        write_warning(STR("groupId"), STR("an older version indexed events without it; onym rebuild makes it known"),
                      answer);
    if (plan->has_lost_columns)
        write_warning((Str){ 0 }, STR("some fields are not indexed: nested too deep, or too many different ones"),
                      answer);
    json_array_end(answer);
}

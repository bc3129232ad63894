/* record_filter: conditions on records, cheap ones first. */
#include "tools_record_filter.h"

static void read_values(const struct command_line *line, const char *option, FilterValues *values)
{
    values->count = command_values(line, option, values->items, FILTER_VALUES);
}

int record_filter_init(struct record_filter *filter, const struct command_line *line)
{
    FilterValues types = { 0 };
    *filter = (struct record_filter){ .wants_events = true, .from_ms = INT64_MIN, .to_ms = INT64_MAX,
                                      .received_from_ms = INT64_MIN };
    read_values(line, "type", &types);
    read_values(line, "event", &filter->events);
    read_values(line, "user", &filter->users);
    read_values(line, "source", &filter->sources);
    for (size_t at = 0; at < types.count; at++) {
        EventType type = event_type_from(types.items[at]);
        if (type == EVENT_NONE) {
            command_complain("--type: \"%.*s\" is none of identify, track, page, screen, group, alias",
                             STR_FORMAT(types.items[at]));
            return EXIT_USAGE;
        }
        filter->types |= 1u << type;
    }
    return EXIT_FINE;
}

static bool has_value(const FilterValues *values, Str s)
{
    for (size_t at = 0; at < values->count; at++)
        if (str_equal(values->items[at], s)) return true;
    return false;
}

bool record_filter_matches_event(const struct record_filter *filter, const Event *event)
{
    if (filter->types && !(filter->types & 1u << event->type)) return false;
    if (event->timestamp_ms < filter->from_ms || event->timestamp_ms >= filter->to_ms) return false;
    if (event->received_at_ms < filter->received_from_ms) return false;
    if (filter->events.count && !has_value(&filter->events, event->name)) return false;
    if (filter->sources.count && !has_value(&filter->sources, event->source)) return false;
    if (filter->users.count && !has_value(&filter->users, event->user_id)
        && !has_value(&filter->users, event->anonymous_id) && !has_value(&filter->users, event->previous_id))
        return false;
    return true;
}

static bool mentions(const FilterValues *values, Str json)
{
    if (values->count == 0) return true;
    for (size_t at = 0; at < values->count; at++) {
        struct buf quoted;
        buf_init(&quoted, 8 * LIMIT_ID_BYTES);
        buf_json_string(&quoted, values->items[at]);
        bool is_there = buf_ok(&quoted) && str_contains(json, buf_str(&quoted));
        buf_done(&quoted);
        if (is_there) return true;
    }
    return false;
}

bool record_filter_matches_rejected(const struct record_filter *filter, const Rejected *rejected)
{
    if (rejected->received_at_ms < filter->received_from_ms) return false;
    if (filter->sources.count && !has_value(&filter->sources, rejected->source)) return false;
    if (filter->types) {
        FilterValues types = { 0 };
        for (int type = EVENT_NONE + 1; type < EVENT_TYPE_COUNT; type++)
            if (filter->types & 1u << type) types.items[types.count++] = str_from(event_type_word((EventType)type));
        if (!mentions(&types, rejected->json)) return false;
    }
    return mentions(&filter->events, rejected->json) && mentions(&filter->users, rejected->json);
}

Status record_filter_read(const struct record_filter *filter, Str record, Event *ret_event, bool *ret_matches,
                          Err *err)
{
    Rejected rejected;
    Status s = OK;
    *ret_matches = false;
    switch (record_kind(record)) {
    case RECORD_EVENT:
        if (!filter->wants_events) return OK;
        s = event_decode(record, ret_event, err);
        *ret_matches = !s && record_filter_matches_event(filter, ret_event);
        return s;
    case RECORD_REJECTED:
        if (!filter->wants_rejected) return OK;
        s = rejected_decode(record, &rejected, err);
        *ret_matches = !s && record_filter_matches_rejected(filter, &rejected);
        return s;
    case RECORD_COMMAND:
    case RECORD_ERASED:
        return OK;
    }
    return err_set(err, ERR_DAMAGED, "no known kind of record");
}

/* ---- Times and the journal ---- */

bool parse_when(const char *text, Millis now_ms, Millis *ret_ms)
{
    Millis ago_ms;
    if (!strcmp(text, "now")) return *ret_ms = now_ms, true;
    if (duration_parse(str_from(text), &ago_ms) && ago_ms > 0) return *ret_ms = now_ms - ago_ms, true;
    return instant_parse(str_from(text), ret_ms);
}

int read_when(const struct command_line *line, const char *option, Millis *ret_ms)
{
    const char *text = command_option(line, option);
    if (!text || parse_when(text, clock_now_ms(os_clock()), ret_ms)) return EXIT_FINE;
    command_complain("--%s: \"%s\" is no time like 2026-11-23, 2026-11-23T12:00:00Z or 15m (ago)", option, text);
    return EXIT_USAGE;
}

Status open_journal_to_read(const struct config *config, Arena *arena, struct journal **ret, Err *err)
{
    SegmentsOptions options = {
        .dir = config_journal_dir(config, arena), .disk = os_disk(), .clock = os_clock(), .dice = os_dice(),
    };
    Status s = segments_open_read_only(&options, ret, err);
    if (s == ERR_NOT_FOUND)
        return err_set(err, s, "there is no journal in %.*s; --data or --config says where it is",
                       STR_FORMAT(config->data));
    return s;
}

/* One event, one line:
 *
 *   12:28:40.123  track     Account Created           12345                website     plan=Free value=9.5
 *   12:28:41.007  page      /pricing                  ~8f14e45f-ceea-4…    website     title="Our prices"
 *   12:28:41.210  rejected  no_user_anon_id           -                    website     a message needs a …
 *
 * Columns stand still: what is too long is cut in a terminal (with "…"), and elsewhere pushes the rest of
 * its line only. The time is that of arrival: in a terminal by the machine's zone, as the clock beside it, and the
 * first line says which zone that is; elsewhere in UTC ("12:28:40.123Z"), since who reads a file may be anywhere. A
 * line with the date stands between days. A name with "~" before it is an anonymousId.
 */
#include "terminal_event.h"
#include "terminal.h"

#include "collect/collect.h"

#include <stdlib.h>
#include <time.h>

enum { LINE_BYTES = 16 * 1024, ARENA_BYTES = 16 * 1024 * 1024, VALUE_COLUMNS = 40, WIDE_COLUMNS = 110 };
enum { TIME_BYTES = INSTANT_TEXT_BYTES + 1, ZONE_BYTES = 48 };

typedef struct Columns {
    unsigned at, type, name, who, source;
} Columns;
static const Columns wide = { 12, 8, 26, 20, 10 }, narrow = { 8, 8, 18, 12, 8 },
    /* in a file nothing is cut: ids (a UUID and its "~") have room */ plain = { 13, 8, 26, 37, 10 };

struct event_line {
    Terminal terminal;
    struct event_parser *parser;
    struct region region;
    struct buf buf;
    Columns columns;
    char date[11];                    /* of the last line; empty: none yet */
    char zone[ZONE_BYTES];            /* of the times in a terminal */
    bool has_zone;                    /* it has been told */
};

/* What the details of a line are gathered into. */
struct details {
    struct event_line *line;
    unsigned columns, most;           /* used; 0: no limit */
    EventType type;
    bool is_full;
};

Status event_line_open(FILE *stream, struct event_line **ret, Err *err)
{
    struct event_line *line = calloc(1, sizeof *line);
    if (line) line->parser = event_parser_open();
    if (!line || !line->parser) {
        free(line);
        return err_set(err, ERR_IO, "no memory to print events");
    }
    line->terminal = terminal_of(stream);
    region_open(&line->region, ARENA_BYTES);
    buf_init(&line->buf, LINE_BYTES);
    *ret = line;
    return OK;
}

void event_line_close(struct event_line *line)
{
    if (!line) return;
    event_parser_close(line->parser);
    region_close(&line->region);
    buf_done(&line->buf);
    free(line);
}

/* ---- Columns ---- */

static void put_colour(struct event_line *line, Str text, Colour colour, unsigned least, unsigned most)
{
    struct buf *buf = &line->buf;
    buf_printf(buf, "%s", terminal_start(&line->terminal, colour));
    (void)terminal_put(buf, text, least, line->terminal.width ? most : 0);
    buf_printf(buf, "%s", terminal_end(&line->terminal, colour));
}

static void put_column(struct event_line *line, Str text, Colour colour, unsigned columns)
{
    put_colour(line, text, colour, columns, columns);
    buf_str_put(&line->buf, STR("  "));
}

/* As instant_write has it, "2026-11-23T12:28:40.123", by the machine's zone; which that is: "CET, UTC+01:00". */
static void write_local(Millis at_ms, char text[TIME_BYTES], char zone[ZONE_BYTES])
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm local;
    if (!localtime_r(&seconds, &local)) memset(&local, 0, sizeof local);
    int minutes = abs((int)(local.tm_gmtoff / 60));
    snprintf(text, TIME_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%03d", (local.tm_year + 1900) % 10000,
             local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec, (int)(at_ms % 1000));
    snprintf(zone, ZONE_BYTES, "UTC");
    if (local.tm_gmtoff == 0) return;
    snprintf(zone, ZONE_BYTES, "%.24s, UTC%c%02d:%02d", local.tm_zone ? local.tm_zone : "",
             local.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

static void put_time(struct event_line *line, Millis at_ms)
{
    char text[TIME_BYTES] = "";
    if (line->terminal.width) write_local(at_ms, text, line->zone);
    else instant_write(at_ms, text);
    Str date = str_of(text, sizeof line->date - 1);
    if (line->date[0] && !str_equal(date, str_from(line->date)))
        buf_printf(&line->buf, "%s-- %.*s --%s\n", terminal_start(&line->terminal, DIM), STR_FORMAT(date),
                   terminal_end(&line->terminal, DIM));
    memcpy(line->date, date.bytes, date.len);
    put_column(line, str_slice(str_from(text), date.len + 1, date.len + 1 + line->columns.at), DIM, line->columns.at);
}

/* Before the first line of a terminal. */
static void tell_zone(struct event_line *line, FILE *stream)
{
    if (!line->terminal.width || line->has_zone) return;
    fprintf(stream, "%s-- %s, times: %s --%s\n", terminal_start(&line->terminal, DIM), line->date, line->zone,
            terminal_end(&line->terminal, DIM));
    line->has_zone = true;
}

static Colour colour_of(EventType type)
{
    switch (type) {
    case EVENT_IDENTIFY: return GREEN;
    case EVENT_TRACK:    return BOLD;
    case EVENT_PAGE:
    case EVENT_SCREEN:   return BLUE;
    case EVENT_GROUP:    return CYAN;
    case EVENT_ALIAS:    return MAGENTA;
    case EVENT_NONE:
    case EVENT_TYPE_COUNT: break;
    }
    return PLAIN;
}

/* ---- Details ---- */

/* key=value where it fits, with quotes where the value has spaces; a value takes VALUE_COLUMNS at most. */
static void put_detail(struct details *details, Str key, Str value, bool has_quotes)
{
    struct event_line *line = details->line;
    if (details->is_full) return;
    unsigned gap = details->columns ? 1 : 0, fixed = gap + text_columns(key) + 1 + (has_quotes ? 2 : 0);
    unsigned wanted = text_columns(value), room = details->most - details->columns;
    if (line->terminal.width && wanted > VALUE_COLUMNS) wanted = VALUE_COLUMNS;
    if (details->most && fixed + wanted > room) {
        unsigned least = details->columns ? wanted : wanted < 6 ? wanted : 6;    /* the first may be cut short */
        if (fixed + least > room) {
            details->is_full = true;
            if (room > gap) buf_str_put(&line->buf, gap ? STR(" …") : STR("…"));
            return;
        }
        wanted = room - fixed;
    }
    if (gap) buf_char(&line->buf, ' ');
    put_colour(line, key, DIM, 0, 0);
    buf_str_put(&line->buf, has_quotes ? STR("=\"") : STR("="));
    put_colour(line, value, PLAIN, 0, wanted);
    if (has_quotes) buf_char(&line->buf, '"');
    details->columns += fixed + wanted;
}

/* What a page's line says already, or says nothing to a reader. */
static bool is_noise(EventType type, Str key)
{
    static const char *const page[] = { "path", "url", "search", "referrer", "name", "category" };
    if (type != EVENT_PAGE && type != EVENT_SCREEN) return false;
    for (size_t at = 0; at < countof(page); at++)
        if (str_equal(key, str_from(page[at]))) return true;
    return false;
}

static void visit_detail(void *context, Str key, const Field *value)
{
    struct details *details = context;
    Str text = value->kind == FIELD_STRING ? value->text : value->raw;
    if (is_noise(details->type, key) || text_columns(text) == 0) return;
    put_detail(details, key, text, value->kind == FIELD_STRING && memchr(text.bytes, ' ', text.len));
}

/* Why the time of an event is not what its client said, in front of all else; most: columns, 0: no limit. */
static unsigned put_time_problem(struct event_line *line, const Event *event, Arena *arena, unsigned most)
{
    static const char *const places[] = { "unreadTimestamp", "originalTimestamp" };
    Field word = { 0 }, sent = { 0 };
    if (!str_contains(event->json, STR("\"timeProblem\":\""))) return 0;
    if (event_find_field(line->parser, event->json, STR("timeProblem"), arena, &word, NULL)) return 0;
    const char *said = word.kind == FIELD_STRING ? collect_time_problem_text(word.text) : NULL;
    bool is_sent_at = str_starts(word.text, STR("sent_at"));
    if (!said) return 0;
    for (size_t at = 0; at < countof(places) && !sent.kind; at++) {
        Str place = is_sent_at ? STR("sentAt") : str_from(places[at]);
        if (event_find_field(line->parser, event->json, place, arena, &sent, NULL)) return 0;
    }
    Str text = arena_printf(arena, "[%s %.*s %s]", is_sent_at ? "sentAt" : "timestamp",
                            STR_FORMAT(str_slice(sent.raw, 0, VALUE_COLUMNS)), said);
    unsigned columns = text_columns(text);
    if (most && columns > most) columns = most;
    put_colour(line, text, RED, 0, columns);
    return columns;
}

/* A text of the message, where it has one at the path. */
static Str text_at(struct event_line *line, const Event *event, Str path, Arena *arena)
{
    Field field = { 0 };
    if (event_find_field(line->parser, event->json, path, arena, &field, NULL)) return STR("");
    return field.kind == FIELD_STRING ? field.text : STR("");
}

/* Who sent it, where that was no browser: a sign-up that the server tells of is worth seeing. And what brought a
 * visitor to a page. */
static void put_origin(struct details *details, const Event *event, Arena *arena)
{
    struct event_line *line = details->line;
    Str library = text_at(line, event, STR("context.library.name"), arena);
    if (library.len && !str_equal(library, STR("onym.js")) && !str_equal(library, STR("analytics.js")))
        put_detail(details, STR("by"), library, memchr(library.bytes, ' ', library.len));
    if (event->type != EVENT_PAGE) return;
    Str campaign = text_at(line, event, STR("context.campaign.source"), arena);
    if (campaign.len) put_detail(details, STR("campaign"), campaign, memchr(campaign.bytes, ' ', campaign.len));
}

static void put_details(struct event_line *line, const Event *event, unsigned used)
{
    Arena arena = region_arena(&line->region);
    Field object = { 0 };
    Str path = event->type == EVENT_IDENTIFY || event->type == EVENT_GROUP ? STR("traits") : STR("properties");
    struct details details = { .line = line, .type = event->type };
    if (line->terminal.width) details.most = line->terminal.width > used + 1 ? line->terminal.width - used - 1 : 1;
    details.columns = put_time_problem(line, event, &arena, details.most);
    put_origin(&details, event, &arena);
    if (event->type == EVENT_ALIAS) {
        put_detail(&details, STR("was"), event->previous_id, false);
        return;
    }
    if (event_find_field(line->parser, event->json, path, &arena, &object, NULL)) return;
    if (object.kind != FIELD_OBJECT) return;
    if (event_visit_object(line->parser, object.raw, &arena, visit_detail, &details, NULL))
        details.is_full = true;                             /* a line of the terminal owes nobody the rest */
}

/* ---- Lines ---- */

/* What an event is about, in a word: its name; a page without one is its path. */
static Str name_of(struct event_line *line, const Event *event, Arena *arena)
{
    Field field = { 0 };
    if (event->name.len) return event->name;
    if (event->type == EVENT_GROUP) return event->group_id;
    if (event->type != EVENT_PAGE) return STR("");
    if (event_find_field(line->parser, event->json, STR("properties.path"), arena, &field, NULL) == OK
        && field.kind == FIELD_STRING && field.text.len) return field.text;
    if (event_find_field(line->parser, event->json, STR("context.page.path"), arena, &field, NULL) == OK
        && field.kind == FIELD_STRING) return field.text;
    return STR("");
}

static void put_who(struct event_line *line, const Event *event)
{
    char text[LIMIT_ID_BYTES + 2];
    if (event->user_id.len || !event->anonymous_id.len) {
        put_column(line, event->user_id.len ? event->user_id : STR("-"), PLAIN, line->columns.who);
        return;
    }
    Str id = str_slice(event->anonymous_id, 0, LIMIT_ID_BYTES);
    int len = snprintf(text, sizeof text, "~%.*s", STR_FORMAT(id));
    put_column(line, str_of(text, (size_t)len), DIM, line->columns.who);
}

static unsigned columns_before_details(const Columns *columns)
{
    return columns->at + columns->type + columns->name + columns->who + columns->source + 5 * 2;
}

static void put_event(struct event_line *line, Str record)
{
    Event event;
    if (event_decode(record, &event, NULL)) return;
    Arena arena = region_arena(&line->region);
    put_time(line, event.received_at_ms);
    put_column(line, str_from(event_type_word(event.type)), colour_of(event.type), line->columns.type);
    put_column(line, name_of(line, &event, &arena), PLAIN, line->columns.name);
    put_who(line, &event);
    put_column(line, event.source, DIM, line->columns.source);
    put_details(line, &event, columns_before_details(&line->columns));
}

static void put_rejected(struct event_line *line, Str record)
{
    Rejected rejected;
    if (rejected_decode(record, &rejected, NULL)) return;
    put_time(line, rejected.received_at_ms);
    put_column(line, STR("rejected"), RED, line->columns.type);
    put_column(line, rejected.reason, RED, line->columns.name);
    put_column(line, rejected.field.len ? rejected.field : STR("-"), DIM, line->columns.who);
    put_column(line, rejected.source.len ? rejected.source : STR("-"), DIM, line->columns.source);
    unsigned used = columns_before_details(&line->columns), width = line->terminal.width;
    put_colour(line, rejected.text, PLAIN, 0, width > used + 8 ? width - used - 1 : 8);
}

void event_line_print(struct event_line *line, Str record, FILE *stream)
{
    buf_clear(&line->buf);
    line->terminal.width = terminal_width(&line->terminal);
    line->columns = !line->terminal.width ? plain : line->terminal.width < WIDE_COLUMNS ? narrow : wide;
    switch (record_kind(record)) {
    case RECORD_EVENT:    put_event(line, record); break;
    case RECORD_REJECTED: put_rejected(line, record); break;
    case RECORD_COMMAND:
    case RECORD_ERASED:   break;
    }
    if (line->buf.len == 0) return;
    while (line->buf.len && line->buf.bytes[line->buf.len - 1] == ' ') line->buf.len--;
    tell_zone(line, stream);
    fwrite(line->buf.bytes, 1, line->buf.len, stream);
    fputc('\n', stream);
}

/* api_live: GET /api/v1/live: messages as they come, as server-sent events. live/ decides what is shown; here a
 * request becomes an ask, and a stream becomes an answer without an end. */
#include "api_routes.h"

/* ---- What is asked for ---- */

/* Each value of a parameter that may stand there more than once. */
static Status read_values(Str query, const char *name, size_t most_bytes, Arena *arena, LiveValues *ret, Err *err)
{
    *ret = (LiveValues){ 0 };
    while (query.len) {
        Str text, pair = str_cut(query, '&', &query), key = str_cut(pair, '=', &text);
        if (!str_equal(percent_decode(key, true, arena), str_from(name))) continue;
        Str value = percent_decode(text, true, arena);
        if (!value.len) continue;
        if (ret->count == LIVE_VALUES || value.len > most_bytes)
            return err_set_field(err, name, "at most %d values, each of at most %zu bytes", LIVE_VALUES, most_bytes);
        ret->items[ret->count++] = value;
    }
    return OK;
}

/* Words with commas between them, or the parameter several times. */
static Status read_types(Str query, Arena *arena, unsigned *ret, Err *err)
{
    LiveValues values;
    Status s = read_values(query, "type", LIMIT_EVENT_NAME_BYTES, arena, &values, err);
    for (size_t at = 0; !s && at < values.count; at++)
        for (Str rest = values.items[at]; !s && rest.len;) {
            EventType type = event_type_from(str_cut(rest, ',', &rest));
            *ret |= 1u << type;
            if (type == EVENT_NONE)
                s = err_set_field(err, "type", "wanted some of identify, track, page, screen, group, alias, as in "
                                  "type=track,page");
        }
    return s;
}

static Status read_fates(Str query, Arena *arena, unsigned *ret, Err *err)
{
    LiveValues values;
    LiveFate fate;
    Status s = read_values(query, "fate", LIMIT_EVENT_NAME_BYTES, arena, &values, err);
    for (size_t at = 0; !s && at < values.count; at++)
        for (Str rest = values.items[at]; !s && rest.len;)
            if (live_fate_from(str_cut(rest, ',', &rest), &fate)) *ret |= 1u << fate;
            else s = err_set_field(err, "fate", "wanted some of accepted, rejected, repeated, suppressed, as in "
                                   "fate=rejected,repeated");
    return s;
}

static Status read_plan(Str query, Arena *arena, bool *ret_breaks_plan, Err *err)
{
    Str text = http_parameter(query, STR("plan"), arena);
    *ret_breaks_plan = text.len > 0;
    if (!text.len || str_equal(text, STR("broken"))) return OK;
    return err_set_field(err, "plan", "wanted broken: what breaks the tracking plan, or was rejected because of it");
}

static Status read_filter(Str query, Arena *arena, LiveFilter *ret, Err *err)
{
    Status s = read_types(query, arena, &ret->types, err);
    if (!s) s = read_fates(query, arena, &ret->fates, err);
    if (!s) s = read_plan(query, arena, &ret->breaks_plan, err);
    if (!s) s = read_values(query, "event", LIMIT_EVENT_NAME_BYTES, arena, &ret->events, err);
    if (!s) s = read_values(query, "source", LIMIT_EVENT_NAME_BYTES, arena, &ret->sources, err);
    if (!s) s = read_values(query, "id", LIMIT_ID_BYTES, arena, &ret->ids, err);
    if (!s) s = read_values(query, "text", LIMIT_ID_BYTES, arena, &ret->texts, err);
    return s;
}

/* A position of the journal; false: the parameter is not given. */
static Status read_position(Str query, const char *name, Arena *arena, bool *ret_is_given, JournalPos *ret, Err *err)
{
    int64_t number = 0;
    Str text = http_parameter(query, str_from(name), arena);
    *ret_is_given = text.len > 0;
    if (text.len && !str_parse_int(text, 0, (int64_t)JOURNAL_NUMBER_MOST, &number))
        return err_set_field(err, name, "wanted a position as rows have it, a number; or now, which is usual");
    *ret = journal_position((uint64_t)number);
    return OK;
}

static Status read_ask(struct exchange *exchange, Arena *arena, LiveAsk *ret, Err *err)
{
    Str query = exchange->query, from = http_parameter(query, STR("from"), arena);
    Str behind = http_parameter(query, STR("behind"), arena);
    int64_t behind_bytes = 0;
    bool has_from = false;
    *ret = (LiveAsk){ .is_now = !from.len || str_equal(from, STR("now")), .last_id = exchange->last_event_id };
    if (!ret->last_id.len) ret->last_id = http_parameter(query, STR("last_id"), arena);
    if (behind.len && !str_parse_int(behind, LIVE_BEHIND_LEAST, LIVE_BEHIND_BYTES, &behind_bytes))
        return err_set_field(err, "behind", "wanted a number of bytes from %d to %d", LIVE_BEHIND_LEAST,
                             LIVE_BEHIND_BYTES);
    ret->behind_bytes = (uint64_t)behind_bytes;
    Status s = ret->is_now ? OK : read_position(query, "from", arena, &has_from, &ret->from, err);
    if (!s) s = read_position(query, "to", arena, &ret->has_end, &ret->to, err);
    return s ? s : read_filter(query, arena, &ret->filter, err);
}

/* ---- The stream ---- */

static bool is_due(struct exchange *exchange) { return live_stream_is_due(exchange->stream_context); }
static void close_stream(struct exchange *exchange) { live_stream_close(exchange->stream_context); }

/* Nothing more for a session that has ended in the meantime, or a key that is no longer there. */
static StreamStep fill(struct exchange *exchange, Arena *arena, struct buf *out)
{
    static const StreamStep steps[] = {
        [LIVE_MORE] = STREAM_MORE, [LIVE_WAIT] = STREAM_WAIT, [LIVE_END] = STREAM_END,
    };
    if (!exchange_may_still(exchange, arena)) return STREAM_END;
    if (exchange->role != ACCESS_READER)
        return steps[live_stream_fill(exchange->stream_context, arena, &exchange->is_cancelled, out)];
    struct buf piece;
    buf_init(&piece, LIMIT_ANSWER_BYTES);
    LiveStep step = live_stream_fill(exchange->stream_context, arena, &exchange->is_cancelled, &piece);
    if (buf_ok(&piece)) api_mask_lines(exchange_options(exchange)->access, *arena, buf_str(&piece), out);
    else step = LIVE_END;                                    /* no memory: it comes back by its last id */
    buf_done(&piece);
    return steps[step];
}

static const HttpStream live_stream = { .is_due = is_due, .fill = fill, .close = close_stream };

Status api_live(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    LiveAsk ask;
    struct live_stream *stream;
    struct live *live = api_options(exchange)->live;
    (void)out;
    if (!live) return err_set(err, ERR_CONFLICT, "messages are shown live only while onym serve runs");
    Status s = read_ask(exchange, arena, &ask, err);
    if (!s && ask.filter.ids.count) s = api_refuse_reader(exchange, "id", err);
    if (!s && ask.filter.texts.count) s = api_refuse_reader(exchange, "text", err);
    if (!s) s = live_stream_open(live, &ask, &stream, err);
    if (s) return s;
    exchange_stream(exchange, &live_stream, stream, "text/event-stream");
    return OK;
}

/* ---- One message ---- */

static Status read_place(const struct exchange *exchange, JournalPos *ret, Err *err)
{
    int64_t number;
    if (!api_options(exchange)->live) return err_set(err, ERR_CONFLICT,
             "messages are shown only while onym serve runs");
    if (!str_parse_int(exchange->parameter, 0, (int64_t)JOURNAL_NUMBER_MOST, &number))
        return err_set_field(err, "position", "wanted a position of the journal, a number");
    *ret = journal_position((uint64_t)number);
    return OK;
}

Status api_message(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    JournalPos pos;
    Status s = read_place(exchange, &pos, err);
    return s ? s : live_write_message(api_options(exchange)->live, pos, &exchange->is_cancelled, arena, out, err);
}

Status api_message_deliveries(struct exchange *exchange, struct deliver *deliver, Arena *arena, struct buf *out,
                              Err *err)
{
    static const char *const left_out[LIVE_FATES] = {
        [LIVE_REJECTED] = "the message was rejected: it goes nowhere",
        [LIVE_REPEATED] = "the message repeats one that came before it: that one goes",
        [LIVE_SUPPRESSED] = "the message names a suppressed id: it goes nowhere",
    };
    JournalPos pos;
    LiveMessage message;
    Status s = read_place(exchange, &pos, err);
    if (!s)
        s = live_read_message(api_options(exchange)->live, pos, &exchange->is_cancelled, arena, &message, err);
    if (s) return s;
    DeliverMessage told = { .event = &message.event, .pos = pos, .left_out = left_out[message.fate] };
    return deliver_write_message(deliver, &told, arena, out, err);
}

/* ---- Counts ---- */

Status api_live_counts(struct exchange *exchange, Arena *arena, struct buf *out, Err *err)
{
    Str text = http_parameter(exchange->query, STR("minutes"), arena);
    int64_t minutes = LIVE_MINUTES;
    struct live *live = api_options(exchange)->live;
    if (!live) return err_set(err, ERR_CONFLICT, "messages are counted only while onym serve runs");
    if (text.len && !str_parse_int(text, 1, LIVE_MINUTES, &minutes))
        return err_set_field(err, "minutes", "wanted a number from 1 to %d", LIVE_MINUTES);
    return live_write_counts(live, (int)minutes, out, err);
}

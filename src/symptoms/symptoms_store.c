/* symptoms_store: a day as bytes, for the keyed store. The key is u32 day + 2^31 (so that days sort); the value is:
 *
 *   "osy2", u32 CRC32C of what follows
 *   numbers are LEB128; times and the day are zigzag-encoded first; a text is its length and its bytes
 *   day, four over_ numbers, count of origins; of each: four texts, is_import, first, last, all tallies
 *   count of events; of each: origin, type, is_over, name, count, over_fields, first, last, senders, count of
 *     currencies and their bytes (3 each), count of fields; of each: name, first, last, senders, all types, count of
 *     buckets that are not 0, and each such bucket's number and count
 *   senders: how many (5: there are many, and none is listed), and each in 4 bytes
 *   count of rows; of each: origin, code, event, field, value, count, first, last, count of examples and of each hash,
 *     position and subject (8, 8 and 4 bytes), has_more_subjects, count of subjects and each in 4 bytes
 *
 * A value that is read must be all of this and nothing more, and stay within the ceilings; anything else is damage. */
#include "symptoms_private.h"

enum { MAGIC_BYTES = 4, HEAD_BYTES = 8 };
static const char magic[] = "osy2";

/* ---- Writing ---- */

static void put_number(struct buf *buf, uint64_t value)
{
    char bytes[10];
    size_t len = 0;
    for (; value >= 128; value >>= 7) bytes[len++] = (char)(value | 128);
    bytes[len++] = (char)value;
    buf_put(buf, bytes, len);
}

static void put_signed(struct buf *buf, int64_t value)
{
    put_number(buf, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

static void put_text(struct buf *buf, Str text)
{
    put_number(buf, text.len);
    buf_str_put(buf, text);
}

static void put_origin(struct buf *buf, const SymptomOrigin *origin)
{
    put_text(buf, origin->source);
    put_text(buf, origin->library);
    put_text(buf, origin->version);
    put_text(buf, origin->app_version);
    put_number(buf, origin->is_import);
    put_signed(buf, origin->first_ms);
    put_signed(buf, origin->last_ms);
    for (int at = 0; at < SYMPTOM_TALLIES; at++) put_number(buf, origin->tallies[at]);
}

static void put_senders(struct buf *buf, const SymptomSenders *senders)
{
    put_number(buf, senders->are_many ? SYMPTOM_SENDERS + 1 : senders->count);
    buf_put(buf, senders->subjects, senders->count * sizeof *senders->subjects);
}

static void put_field(struct buf *buf, const SymptomField *field)
{
    uint32_t buckets = 0;
    put_text(buf, field->name);
    put_signed(buf, field->first_ms);
    put_signed(buf, field->last_ms);
    put_senders(buf, &field->senders);
    for (int at = 0; at < SYMPTOM_TYPES; at++) put_number(buf, field->types[at]);
    for (int at = 0; field->numbers && at < SYMPTOM_BUCKETS; at++) buckets += field->numbers->buckets[at] > 0;
    put_number(buf, buckets);
    for (uint32_t at = 0; field->numbers && at < SYMPTOM_BUCKETS; at++) {
        if (!field->numbers->buckets[at]) continue;
        put_number(buf, at);
        put_number(buf, field->numbers->buckets[at]);
    }
}

static void put_event(struct buf *buf, const SymptomEvent *event)
{
    uint32_t currencies = 0;
    put_number(buf, event->origin);
    put_number(buf, event->type);
    put_number(buf, event->is_over);
    put_text(buf, event->name);
    put_number(buf, event->count);
    put_number(buf, event->over_fields);
    put_signed(buf, event->first_ms);
    put_signed(buf, event->last_ms);
    put_senders(buf, &event->senders);
    while (currencies < SYMPTOM_CURRENCIES && event->currencies[currencies][0]) currencies++;
    put_number(buf, currencies);
    for (uint32_t at = 0; at < currencies; at++) buf_put(buf, event->currencies[at], 3);
    put_number(buf, event->field_count);
    for (uint32_t at = 0; at < event->field_count; at++) put_field(buf, &event->fields[at]);
}

static void put_row(struct buf *buf, const SymptomRow *row)
{
    put_number(buf, row->origin);
    put_number(buf, row->code);
    put_text(buf, row->event);
    put_text(buf, row->field);
    put_text(buf, row->value);
    put_number(buf, row->count);
    put_signed(buf, row->first_ms);
    put_signed(buf, row->last_ms);
    put_number(buf, row->example_count);
    for (uint32_t at = 0; at < row->example_count; at++) {
        buf_put(buf, &row->examples[at].hash, 8);
        buf_put(buf, &row->examples[at].position, 8);
        buf_put(buf, &row->examples[at].subject, 4);
    }
    put_number(buf, row->has_more_subjects);
    put_number(buf, row->subject_count);
    buf_put(buf, row->subjects, row->subject_count * sizeof *row->subjects);
}

void day_encode(const SymptomDay *day, struct buf *buf)
{
    size_t start = buf->len;
    static const char head[HEAD_BYTES];
    buf_put(buf, head, sizeof head);
    put_signed(buf, day->day);
    put_number(buf, day->over_origins);
    put_number(buf, day->over_events);
    put_number(buf, day->over_fields);
    put_number(buf, day->over_rows);
    put_number(buf, day->origin_count);
    for (uint32_t at = 0; at < day->origin_count; at++) put_origin(buf, &day->origins[at]);
    put_number(buf, day->event_count);
    for (uint32_t at = 0; at < day->event_count; at++) put_event(buf, &day->events[at]);
    put_number(buf, day->row_count);
    for (uint32_t at = 0; at < day->row_count; at++) put_row(buf, &day->rows[at]);
    if (!buf_ok(buf)) return;
    uint32_t sum = crc32c_of(0, str_of(buf->bytes + start + HEAD_BYTES, buf->len - start - HEAD_BYTES));
    memcpy(buf->bytes + start, magic, MAGIC_BYTES);
    memcpy(buf->bytes + start + MAGIC_BYTES, &sum, sizeof sum);
}

/* ---- Reading ---- */

struct reading { const char *at, *end; bool is_bad; };

static const char *take_bytes(struct reading *reading, size_t count)
{
    const char *bytes = reading->at;
    if ((size_t)(reading->end - reading->at) < count) return reading->is_bad = true, NULL;
    reading->at += count;
    return bytes;
}

static uint64_t take_number(struct reading *reading, uint64_t most)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const char *byte = take_bytes(reading, 1);
        if (!byte) return 0;
        value |= (uint64_t)(*byte & 127) << shift;
        if (*byte & 128) continue;
        if (value <= most) return value;
        break;
    }
    reading->is_bad = true;
    return 0;
}

static int64_t take_signed(struct reading *reading)
{
    uint64_t value = take_number(reading, UINT64_MAX);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static Str take_text(struct reading *reading)
{
    size_t len = take_number(reading, LIMIT_ID_BYTES);
    const char *bytes = take_bytes(reading, len);
    return bytes ? (Str){ bytes, len } : (Str){ 0 };
}

static void take_senders(struct reading *reading, SymptomSenders *senders)
{
    uint64_t count = take_number(reading, SYMPTOM_SENDERS + 1);
    const char *bytes = count > SYMPTOM_SENDERS ? NULL : take_bytes(reading, 4 * count);
    senders->are_many = count > SYMPTOM_SENDERS;
    for (uint64_t at = 0; bytes && at < count; at++) {
        uint32_t subject;
        memcpy(&subject, bytes + 4 * at, 4);
        day_add_sender(senders, subject);
    }
    if (bytes && senders->count != count) reading->is_bad = true;
}

/* Each of these is added by the same functions that count messages. If something is there twice, or is over a ceiling,
 * that is damage. */
static void take_origin(struct reading *reading, struct day_table *table)
{
    SymptomOrigin origin = { 0 };
    origin.source = take_text(reading);
    origin.library = take_text(reading);
    origin.version = take_text(reading);
    origin.app_version = take_text(reading);
    origin.is_import = take_number(reading, 1);
    uint32_t before = table->of.origin_count, place = reading->is_bad ? 0 : day_find_origin(table, &origin);
    if (reading->is_bad || place != before) {
        reading->is_bad = true;
        return;
    }
    SymptomOrigin *made = &table->of.origins[place];
    made->first_ms = take_signed(reading);
    made->last_ms = take_signed(reading);
    for (int at = 0; at < SYMPTOM_TALLIES; at++) made->tallies[at] = take_number(reading, UINT64_MAX);
}

static void take_field(struct reading *reading, struct day_table *table, SymptomEvent *event)
{
    uint32_t before = event->field_count, guess = before;
    Str name = take_text(reading);
    SymptomField *field = reading->is_bad ? NULL : day_find_field(table, event, &guess, name);
    if (!field || event->field_count == before) {
        reading->is_bad = true;
        return;
    }
    field->first_ms = take_signed(reading);
    field->last_ms = take_signed(reading);
    take_senders(reading, &field->senders);
    for (int at = 0; at < SYMPTOM_TYPES; at++) field->types[at] = take_number(reading, UINT64_MAX);
    uint64_t buckets = take_number(reading, SYMPTOM_BUCKETS);
    SymptomNumbers *numbers = buckets ? day_find_numbers(table, field) : NULL;
    if (buckets && !numbers) reading->is_bad = true;
    for (uint64_t at = 0; at < buckets && !reading->is_bad; at++) {
        uint64_t bucket = take_number(reading, SYMPTOM_BUCKETS - 1);
        numbers->buckets[bucket] = (uint32_t)take_number(reading, UINT32_MAX);
    }
}

static void take_event(struct reading *reading, struct day_table *table)
{
    uint32_t before = table->of.event_count, origin = (uint32_t)take_number(reading, UINT32_MAX);
    EventType type = (EventType)take_number(reading, EVENT_TYPE_COUNT - 1);
    bool is_over = take_number(reading, 1);
    Str name = take_text(reading);
    if (origin >= table->of.origin_count) reading->is_bad = true;
    SymptomEvent *event = reading->is_bad ? NULL : day_put_event(table, origin, type, name, is_over);
    if (!event || table->of.event_count == before || event->is_over != is_over) {
        reading->is_bad = true;
        return;
    }
    event->count = take_number(reading, UINT64_MAX);
    event->over_fields = take_number(reading, UINT64_MAX);
    event->first_ms = take_signed(reading);
    event->last_ms = take_signed(reading);
    take_senders(reading, &event->senders);
    uint64_t currencies = take_number(reading, SYMPTOM_CURRENCIES);
    const char *bytes = take_bytes(reading, 3 * currencies);
    for (uint64_t at = 0; bytes && at < currencies; at++) memcpy(event->currencies[at], bytes + 3 * at, 3);
    uint64_t fields = take_number(reading, SYMPTOMS_FIELDS);
    for (uint64_t at = 0; at < fields && !reading->is_bad; at++) take_field(reading, table, event);
}

static void take_subjects(struct reading *reading, struct day_table *table, SymptomRow *row)
{
    row->has_more_subjects = take_number(reading, 1);
    uint64_t count = take_number(reading, SYMPTOMS_SUBJECTS);
    const char *bytes = take_bytes(reading, count * 4);
    bool has_more = row->has_more_subjects;
    uint64_t before = table->subjects;
    table->subjects = 0;                                     /* when it was saved it was within the day's ceiling */
    for (uint64_t at = 0; bytes && at < count; at++) {
        uint32_t subject;
        memcpy(&subject, bytes + 4 * at, 4);
        day_add_subject(table, row, subject);
    }
    table->subjects += before;
    row->has_more_subjects = has_more;
    if (row->subject_count != count) reading->is_bad = true;
}

static void take_row(struct reading *reading, struct day_table *table)
{
    uint32_t before = table->of.row_count, origin = (uint32_t)take_number(reading, UINT32_MAX);
    SymptomCode code = (SymptomCode)take_number(reading, SYMPTOM_CODES - 1);
    Str event = take_text(reading), field = take_text(reading), value = take_text(reading);
    if (origin >= table->of.origin_count) reading->is_bad = true;
    SymptomRow *row = reading->is_bad ? NULL : day_find_row(table, origin, code, event, field, value);
    if (!row || table->of.row_count == before) {
        reading->is_bad = true;
        return;
    }
    row->count = take_number(reading, UINT64_MAX);
    row->first_ms = take_signed(reading);
    row->last_ms = take_signed(reading);
    uint64_t examples = take_number(reading, SYMPTOMS_EXAMPLES);
    for (uint64_t at = 0; at < examples; at++) {
        SymptomExample example = { 0 };
        const char *bytes = take_bytes(reading, 20);
        if (!bytes) return;
        memcpy(&example.hash, bytes, 8);
        memcpy(&example.position, bytes + 8, 8);
        memcpy(&example.subject, bytes + 16, 4);
        day_add_example(row, example);
    }
    take_subjects(reading, table, row);
}

Status day_decode(Str bytes, struct day_table *table, Err *err)
{
    uint32_t sum = 0;
    struct reading reading = { bytes.bytes + HEAD_BYTES, bytes.bytes + bytes.len, bytes.len < HEAD_BYTES };
    uint32_t day = (uint32_t)table->of.day;
    if (!reading.is_bad) memcpy(&sum, bytes.bytes + MAGIC_BYTES, sizeof sum);
    if (reading.is_bad || memcmp(bytes.bytes, magic, MAGIC_BYTES)
        || sum != crc32c_of(0, str_of(reading.at, bytes.len - HEAD_BYTES)))
        return err_set(err, ERR_DAMAGED, "what was counted on day %u is not what was written", day);
    if (take_signed(&reading) != table->of.day) reading.is_bad = true;
    uint64_t over[4];
    for (int at = 0; at < 4; at++) over[at] = take_number(&reading, UINT64_MAX);
    uint64_t count = take_number(&reading, table->limits->origins);
    for (uint64_t at = 0; at < count && !reading.is_bad; at++) take_origin(&reading, table);
    count = take_number(&reading, UINT32_MAX);
    for (uint64_t at = 0; at < count && !reading.is_bad; at++) take_event(&reading, table);
    count = take_number(&reading, table->limits->rows);
    for (uint64_t at = 0; at < count && !reading.is_bad; at++) take_row(&reading, table);
    table->of.over_origins = over[0], table->of.over_events = over[1];
    table->of.over_fields = over[2], table->of.over_rows = over[3];
    if (reading.is_bad || reading.at != reading.end)
        return err_set(err, ERR_DAMAGED, "what was counted on day %u does not add up", day);
    return OK;
}

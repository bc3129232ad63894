/* symptoms: the days that are being counted, in memory, and those in the store.
 *
 * A day comes into memory with its first message, and leaves it with the next save; only the newest day stays. The
 * newest SYMPTOMS_DAYS days that had any message are kept. Only days with messages count, not those of the calendar, so
 * that one wrong clock does not push out a quarter of a year. */
#include "symptoms_private.h"

#include <stdlib.h>

enum {
    UNSAVED_BYTES = 64 * 1024 * 1024,       /* about so much in memory: with more, it asks for a save */
    DAY_BYTES_MOST = KV_VALUE_BYTES,
    SCRATCH_BYTES = 2 * LIMIT_RECORD_BYTES,
    FORGETS_MOST = 1 << 26,
};

struct symptoms {
    SymptomsOptions options;
    struct day_table **days, *last;         /* the days in memory, in no order; the last message's day */
    size_t day_count, day_capacity;
    int32_t kept[SYMPTOMS_DAYS];            /* the days in memory or in the store; ascending */
    size_t kept_count;
    bool has_dropped;                       /* the store still has a day that is not kept any more */
    uint32_t *forgets;                      /* subjects, ascending, whom the days in the store have still to forget */
    size_t forget_count, forget_capacity;
    struct region scratch;
    struct event_outline *outline;          /* for events that have no outline of their own */
};

static const struct { const char *code, *word; } codes[SYMPTOM_CODES] = {
#define SYMPTOM(name, code, word) [name] = { code, word },
#include "symptoms.tbl.h"
#undef SYMPTOM
};

const char *symptoms_code(SymptomCode code) { return codes[code].code; }
const char *symptoms_word(SymptomCode code) { return codes[code].word; }

const char *symptoms_type_word(SymptomType type)
{
    static const char *const words[SYMPTOM_TYPES] = {
        [TYPE_BOOLEAN] = "boolean", [TYPE_NUMBER] = "number", [TYPE_TEXT] = "text", [TYPE_LIST] = "list",
        [TYPE_OBJECT] = "object", [TYPE_NULL] = "null", [TYPE_EMPTY] = "empty text",
        [TYPE_TEXT_NUMBER] = "number as text", [TYPE_TEXT_BOOLEAN] = "boolean as text",
        [TYPE_TEXT_DATE] = "date as text", [TYPE_TEXT_JUNK] = "junk",
    };
    return words[type];
}

/* ---- Which days there are ---- */

static size_t place_of_day(const struct symptoms *symptoms, int32_t day)
{
    size_t at = 0;
    while (at < symptoms->kept_count && symptoms->kept[at] < day) at++;
    return at;
}

static bool is_kept(const struct symptoms *symptoms, int32_t day)
{
    size_t at = place_of_day(symptoms, day);
    return at < symptoms->kept_count && symptoms->kept[at] == day;
}

static void close_day(struct symptoms *symptoms, size_t at)
{
    if (symptoms->last == symptoms->days[at]) symptoms->last = NULL;
    day_close(symptoms->days[at]);
    symptoms->days[at] = symptoms->days[--symptoms->day_count];
}

static struct day_table *find_in_memory(const struct symptoms *symptoms, int32_t day)
{
    for (size_t at = 0; at < symptoms->day_count; at++)
        if (symptoms->days[at]->of.day == day) return symptoms->days[at];
    return NULL;
}

/* Makes room for a new day. False: it is older than all days that are kept. */
static bool keep_day(struct symptoms *symptoms, int32_t day)
{
    if (symptoms->kept_count == SYMPTOMS_DAYS) {
        if (day < symptoms->kept[0]) return false;
        for (size_t at = 0; at < symptoms->day_count; at++)
            if (symptoms->days[at]->of.day == symptoms->kept[0]) close_day(symptoms, at--);
        memmove(symptoms->kept, symptoms->kept + 1, --symptoms->kept_count * sizeof *symptoms->kept);
        symptoms->has_dropped = true;
    }
    size_t at = place_of_day(symptoms, day);
    memmove(symptoms->kept + at + 1, symptoms->kept + at, (symptoms->kept_count - at) * sizeof *symptoms->kept);
    symptoms->kept[at] = day;
    symptoms->kept_count++;
    return true;
}

static void key_of_day(int32_t day, char key[4]) { kv_key_u32(key, (uint32_t)day ^ UINT32_C(1) << 31); }

static Status read_day(const struct symptoms *symptoms, struct kv_txn *txn, int32_t day, struct day_table **ret,
                       Err *err)
{
    char key[4];
    Str value;
    key_of_day(day, key);
    Status s = kv_get(txn, symptoms->options.table, str_of(key, sizeof key), &value, err);
    if (s) return s;
    *ret = day_open(day, &symptoms_day_limits);
    s = day_decode(value, *ret, err);
    if (s) day_close(*ret);
    return s;
}

static void add_day(struct symptoms *symptoms, struct day_table *table)
{
    check(vector_reserve(symptoms->days, symptoms->day_capacity, symptoms->day_count + 1, UINT32_MAX));
    symptoms->days[symptoms->day_count++] = table;
}

/* *ret is NULL if the day is too old to be kept. */
static Status find_day(struct symptoms *symptoms, Millis at_ms, struct day_table **ret, Err *err)
{
    int64_t number = calendar_floor(at_ms, DAY_MS);
    int32_t day = number < INT32_MIN ? INT32_MIN : number > INT32_MAX ? INT32_MAX : (int32_t)number;
    struct day_table *table = symptoms->last;
    struct kv_txn *txn;
    if (table && table->of.day == day) return *ret = table, OK;
    table = find_in_memory(symptoms, day);
    if (!table && is_kept(symptoms, day) && symptoms->options.kv) {
        Status s = kv_begin_read(symptoms->options.kv, &txn, err);
        if (s) return s;
        s = read_day(symptoms, txn, day, &table, err);
        kv_end_read(txn);
        if (s) return s;
        day_forget(table, symptoms->forgets, symptoms->forget_count);
        add_day(symptoms, table);
    } else if (!table && keep_day(symptoms, day)) {
        table = day_open(day, &symptoms_day_limits);
        add_day(symptoms, table);
    }
    return *ret = symptoms->last = table, OK;
}

/* ---- Opening ---- */

/* Finds which days are in the store, and whether each is what we wrote. The newest one is read as a whole, since the
 * next messages need it. */
static Status load(struct symptoms *symptoms, struct kv_txn *txn, Err *err)
{
    struct kv_cursor *cursor;
    struct day_table *table = NULL;
    Str key, value;
    Status s = kv_cursor_open(txn, symptoms->options.table, &cursor, err);
    if (s) return s;
    for (s = kv_find(cursor, STR("\0"), &key, &value, err); !s; s = kv_next(cursor, &key, &value, err)) {
        if (key.len != 4 || symptoms->kept_count == SYMPTOMS_DAYS) break;
        symptoms->kept[symptoms->kept_count++] = (int32_t)(kv_read_u32(key.bytes) ^ UINT32_C(1) << 31);
    }
    kv_cursor_close(cursor);
    if (!s) return err_set(err, ERR_DAMAGED, "what was counted: a day that is none");
    if (s != ERR_NOT_FOUND) return s;
    if (!symptoms->kept_count) return OK;
    s = read_day(symptoms, txn, symptoms->kept[symptoms->kept_count - 1], &table, err);
    if (!s) add_day(symptoms, table);
    return s;
}

Status symptoms_open(const SymptomsOptions *options, struct symptoms **ret, Err *err)
{
    struct symptoms *symptoms = calloc(1, sizeof *symptoms);
    struct kv_txn *txn;
    Status s = OK;
    check(symptoms);
    symptoms->options = *options;
    region_open(&symptoms->scratch, SCRATCH_BYTES);
    symptoms->outline = event_outline_open();
    check(symptoms->outline);
    if (options->kv) {
        s = kv_begin_read(options->kv, &txn, err);
        if (!s) {
            s = load(symptoms, txn, err);
            kv_end_read(txn);
        }
    }
    if (s) symptoms_close(symptoms);
    else *ret = symptoms;
    return s;
}

void symptoms_close(struct symptoms *symptoms)
{
    if (!symptoms) return;
    while (symptoms->day_count) close_day(symptoms, symptoms->day_count - 1);
    free(symptoms->days);
    free(symptoms->forgets);
    region_close(&symptoms->scratch);
    event_outline_close(symptoms->outline);
    free(symptoms);
}

/* ---- Writing ---- */

Status symptoms_add(struct symptoms *symptoms, const Event *event, uint64_t position, uint32_t subject, Err *err)
{
    struct day_table *table;
    Status s = find_day(symptoms, event->received_at_ms, &table, err);
    if (s || !table) return s;
    SymptomMessage message = { event, event_outline_of(event, symptoms->outline), position, subject };
    day_count(table, &message, region_arena(&symptoms->scratch));
    table->is_dirty = true;
    return OK;
}

Status symptoms_add_repeat(struct symptoms *symptoms, const Event *event, uint64_t position, Err *err)
{
    struct day_table *table;
    Status s = find_day(symptoms, event->received_at_ms, &table, err);
    if (s || !table) return s;
    SymptomMessage message = { event, event_outline_of(event, symptoms->outline), position, SYMPTOM_NOBODY };
    day_count_repeat(table, &message, region_arena(&symptoms->scratch));
    table->is_dirty = true;
    return OK;
}

Status symptoms_add_rejected(struct symptoms *symptoms, const Rejected *rejected, uint64_t position, Err *err)
{
    struct day_table *table;
    Status s = find_day(symptoms, rejected->received_at_ms, &table, err);
    if (s || !table) return s;
    day_count_rejected(table, rejected, position);
    table->is_dirty = true;
    return OK;
}

void symptoms_forget(struct symptoms *symptoms, const uint32_t *subjects, size_t count)
{
    for (size_t at = 0; at < symptoms->day_count; at++) day_forget(symptoms->days[at], subjects, count);
    size_t all = symptoms->forget_count + count;
    check(vector_reserve(symptoms->forgets, symptoms->forget_capacity, all, FORGETS_MOST));
    if (count) memcpy(symptoms->forgets + symptoms->forget_count, subjects, count * sizeof *subjects);
    symptoms->forget_count = all;
    if (count) qsort(symptoms->forgets, all, sizeof *symptoms->forgets, compare_u32);
}

/* ---- Saving ---- */

static size_t bytes_of(const struct day_table *table)
{
    return sizeof *table + table->of.event_count * sizeof *table->of.events + table->fields * sizeof(SymptomField)
         + table->numbers * sizeof(SymptomNumbers) + table->of.row_count * sizeof *table->of.rows
         + table->subjects * sizeof(uint32_t) + (table->memos ? sizeof *table->memos : 0);
}

bool symptoms_wants_save(const struct symptoms *symptoms)
{
    size_t bytes = 0;
    for (size_t at = 0; at < symptoms->day_count; at++) bytes += bytes_of(symptoms->days[at]);
    return symptoms->forget_count > 0 || (symptoms->day_count > 1 && bytes > UNSAVED_BYTES);
}

static Status write_day(const struct symptoms *symptoms, struct kv_txn *txn, const SymptomDay *day, Err *err)
{
    struct buf buf;
    char key[4];
    key_of_day(day->day, key);
    buf_init(&buf, DAY_BYTES_MOST);
    day_encode(day, &buf);
    Status s = buf_ok(&buf) ? kv_put(txn, symptoms->options.table, str_of(key, sizeof key), buf_str(&buf), err)
                            : err_set(err, ERR_TOO_LARGE, "what was counted on a day is too much to be kept");
    buf_done(&buf);
    return s;
}

static Status drop_old(const struct symptoms *symptoms, struct kv_txn *txn, Err *err)
{
    struct kv_cursor *cursor;
    Str key, value;
    char first[4];
    for (;;) {
        Status s = kv_cursor_open(txn, symptoms->options.table, &cursor, err);
        if (s) return s;
        s = kv_find(cursor, STR("\0"), &key, &value, err);
        bool is_old = !s && key.len == 4
                   && !is_kept(symptoms, (int32_t)(kv_read_u32(key.bytes) ^ UINT32_C(1) << 31));
        if (is_old) memcpy(first, key.bytes, sizeof first);
        kv_cursor_close(cursor);
        if (s == ERR_NOT_FOUND || (!s && !is_old)) return OK;
        if (!s) s = kv_remove(txn, symptoms->options.table, str_of(first, sizeof first), err);
        if (s) return s;
    }
}

/* Takes the subjects out of the days that are only in the store. */
static Status forget_stored(const struct symptoms *symptoms, struct kv_txn *txn, Err *err)
{
    Status s = OK;
    for (size_t at = 0; !s && at < symptoms->kept_count; at++) {
        struct day_table *table;
        if (find_in_memory(symptoms, symptoms->kept[at])) continue;
        s = read_day(symptoms, txn, symptoms->kept[at], &table, err);
        if (s) return s;
        if (day_forget(table, symptoms->forgets, symptoms->forget_count)) s = write_day(symptoms, txn, &table->of, err);
        day_close(table);
    }
    return s;
}

Status symptoms_save(struct symptoms *symptoms, struct kv_txn *txn, Err *err)
{
    Status s = OK;
    for (size_t at = 0; !s && at < symptoms->day_count; at++)
        if (symptoms->days[at]->is_dirty) s = write_day(symptoms, txn, &symptoms->days[at]->of, err);
    if (!s && symptoms->has_dropped) s = drop_old(symptoms, txn, err);
    if (!s && symptoms->forget_count) s = forget_stored(symptoms, txn, err);
    return s;
}

void symptoms_end_save(struct symptoms *symptoms, bool is_committed)
{
    if (!is_committed) return;
    int32_t newest = symptoms->kept_count ? symptoms->kept[symptoms->kept_count - 1] : 0;
    for (size_t at = 0; at < symptoms->day_count; at++) {
        symptoms->days[at]->is_dirty = false;
        if (symptoms->options.kv && symptoms->days[at]->of.day != newest) close_day(symptoms, at--);
    }
    symptoms->forget_count = 0;
    symptoms->has_dropped = false;
}

/* ---- Reading ---- */

struct symptoms_view {
    const struct symptoms *symptoms;        /* for its options */
    struct kv_txn *txn;
    struct day_table *table;
    int32_t stored[SYMPTOMS_DAYS];          /* the days to read from the store */
    size_t stored_count;
    uint32_t *forgets;                      /* subjects whom these days have still to forget */
    size_t forget_count;
};

Status symptoms_begin_view(struct symptoms *symptoms, int32_t first_day, int32_t end_day, struct symptoms_view **ret,
                           Err *err)
{
    if (end_day < first_day || (int64_t)end_day - first_day > SYMPTOMS_DAYS)
        return err_set(err, ERR_INPUT, "%d days of symptoms are kept", SYMPTOMS_DAYS);
    struct symptoms_view *view = calloc(1, sizeof *view);
    check(view);
    view->symptoms = symptoms;
    view->table = day_open(first_day, &symptoms_view_limits);
    for (size_t at = 0; at < symptoms->kept_count; at++) {
        int32_t day = symptoms->kept[at];
        const struct day_table *table = find_in_memory(symptoms, day);
        if (day < first_day || day >= end_day) continue;
        if (table) day_merge(view->table, &table->of, (unsigned)(day - first_day));
        else view->stored[view->stored_count++] = day;
    }
    view->forgets = calloc(symptoms->forget_count + 1, sizeof *view->forgets);
    check(view->forgets);
    view->forget_count = symptoms->forget_count;
    if (view->forget_count) memcpy(view->forgets, symptoms->forgets, view->forget_count * sizeof *view->forgets);
    Status s = symptoms->options.kv ? kv_begin_read(symptoms->options.kv, &view->txn, err) : OK;
    if (s) symptoms_close_view(view);
    else *ret = view;
    return s;
}

Status symptoms_read_view(struct symptoms_view *view, Err *err)
{
    Status s = OK;
    for (size_t at = 0; !s && view->txn && at < view->stored_count; at++) {
        struct day_table *table;
        s = read_day(view->symptoms, view->txn, view->stored[at], &table, err);
        if (s) break;
        day_forget(table, view->forgets, view->forget_count);
        day_merge(view->table, &table->of, (unsigned)(view->stored[at] - view->table->of.day));
        day_close(table);
    }
    kv_end_read(view->txn);
    view->txn = NULL;
    if (!s) day_sort(view->table);
    return s;
}

const SymptomDay *symptoms_view_day(const struct symptoms_view *view) { return &view->table->of; }

void symptoms_close_view(struct symptoms_view *view)
{
    if (!view) return;
    kv_end_read(view->txn);
    day_close(view->table);
    free(view->forgets);
    free(view);
}

/* ---- Numbers ---- */

uint64_t symptoms_number_count(const SymptomNumbers *numbers)
{
    uint64_t count = 0;
    for (int at = 0; numbers && at < SYMPTOM_BUCKETS; at++) count += numbers->buckets[at];
    return count;
}

double symptoms_median(const SymptomNumbers *numbers)
{
    uint64_t half = symptoms_number_count(numbers) / 2, before = 0;
    for (int at = 0; numbers && at < SYMPTOM_BUCKETS; at++) {
        before += numbers->buckets[at];
        if (before <= half) continue;
        if (at == 0) return 0;
        int octave = (at - 1) / 4 + SYMPTOM_BUCKET_LEAST;
        return __builtin_ldexp(1.0 + ((at - 1) % 4 + 0.5) / 4.0, octave);
    }
    return 0;
}

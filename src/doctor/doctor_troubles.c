/* doctor_troubles: faults of a page. The browser library reports them in context.onym.health, with each call:
 *
 *     cookie_stuck:NAME   BR-1        storage_full   BR-2        queue_full   BR-3        more_missing   BR-4
 *
 * Visitors are counted: if a page reports a fault with each call, that is one case. Anybody with the public key can
 * send such reports. So only these words are accepted, a cookie's name may have only letters that our names have, and a
 * page is shown without parts that may be an id, a token or an address (doctor_name_page). An unknown word is passed
 * over: a later library may have sent it. */
#include "doctor_private.h"

#include "symptoms/symptoms.h"

#include <ctype.h>
#include <stdlib.h>

enum { WORDS_MOST = 16, COOKIE_BYTES = 40, SEGMENT_BYTES = 24, VALUE_NAMES = 4, VALUE_BYTES = 200 };
#define COOKIE_WORD "cookie_stuck:"

/* ---- Pages ---- */

/* Does a part of a path look like an id? It is long, has an @, has many digits, or is a hex number with dashes. */
static bool is_id(Str part)
{
    size_t digits = 0, hex = 0;
    if (part.len > SEGMENT_BYTES || memchr(part.bytes ? part.bytes : "", '@', part.len)) return true;
    for (size_t at = 0; at < part.len; at++) {
        digits += isdigit((unsigned char)part.bytes[at]) != 0;
        hex += isxdigit((unsigned char)part.bytes[at]) != 0 || part.bytes[at] == '-';
    }
    return digits && (digits * 2 > part.len || (hex == part.len && part.len >= 8) || digits >= 4);
}

static void put_path(struct buf *out, Str path)
{
    if (symptoms_url_leak(path) || str_contains(path, STR("%40"))) {
        buf_str_put(out, STR("/\xe2\x80\xa6"));
        return;
    }
    while (path.len && out->len < DOCTOR_PLACE_BYTES / 2) {
        Str part = str_cut(path, '/', &path);
        if (!part.len) continue;
        buf_char(out, '/');
        buf_str_put(out, is_id(part) ? STR("#") : part);
    }
    if (path.len) buf_str_put(out, STR("/\xe2\x80\xa6"));
}

uint32_t doctor_name_page(struct exam *exam, Str host, Str path)
{
    char room[DOCTOR_PLACE_BYTES + 256];
    struct buf out;
    Str rest;
    path = str_cut(str_cut(path, '?', &rest), '#', &rest);
    if (!host.len && !path.len) return 0;
    buf_init_fixed(&out, room, sizeof room);
    buf_str_put(&out, str_slice(host, 0, DOCTOR_PLACE_BYTES / 2));
    size_t before = out.len;
    put_path(&out, path);
    if (out.len == before) buf_char(&out, '/');
    return buf_ok(&out) ? doctor_name(&exam->names, buf_str(&out)) : 0;
}

/* What comes after the host. */
static Str path_of(Str url)
{
    size_t at = 0;
    while (at + 1 < url.len && (url.bytes[at] != '/' || url.bytes[at + 1] != '/')) at++;
    for (at += 2; at < url.len && url.bytes[at] != '/' && url.bytes[at] != '?' && url.bytes[at] != '#'; at++) continue;
    return at < url.len ? str_slice(url, at, url.len) : (Str){ 0 };
}

/* ---- While rows are gathered ---- */

static bool is_cookie_name(Str name)
{
    for (size_t at = 0; at < name.len; at++) {
        unsigned char c = (unsigned char)name.bytes[at];
        if (!isalnum(c) && c != '_' && c != '-' && c != '.') return false;
    }
    return name.len > 0 && name.len <= COOKIE_BYTES;
}

static bool has_name_left(const struct exam *exam) { return exam->trouble_names < DOCTOR_TROUBLE_NAMES; }

/* DOCTOR_CODE_COUNT: the word is not known. */
static DoctorCode read_word(struct exam *exam, Str word, uint32_t *ret_value)
{
    static const struct { const char *word; DoctorCode code; } words[] = {
        { "storage_full", DOCTOR_BR_2 }, { "queue_full", DOCTOR_BR_3 }, { "more_missing", DOCTOR_BR_4 },
    };
    *ret_value = 0;
    if (str_starts(word, STR(COOKIE_WORD))) {
        Str name = str_slice(word, sizeof COOKIE_WORD - 1, word.len);
        if (is_cookie_name(name) && has_name_left(exam)) *ret_value = doctor_name(&exam->names, name);
        return DOCTOR_BR_1;
    }
    for (size_t at = 0; at < countof(words); at++)
        if (str_equal(word, str_from(words[at].word))) return words[at].code;
    return DOCTOR_CODE_COUNT;
}

static bool is_noted(const struct exam *exam, size_t from, DoctorCode code, uint32_t value)
{
    for (; from < exam->trouble_count; from++)
        if (exam->troubles[from].code == code && exam->troubles[from].value == value) return true;
    return false;
}

bool doctor_note_troubles(struct exam *exam, const DoctorPeek *peek, JournalPos pos)
{
    EventMembers list;
    EventMember item;
    char room[256];
    size_t before = exam->trouble_count, seen = 0;
    uint32_t names = exam->names.count, page = 0;
    if (peek->health.bytes[0] != '[' || !event_members_open(&list, peek->health)) return false;
    if (has_name_left(exam)) page = doctor_name_page(exam, doctor_host(peek->url, room), path_of(peek->url));
    while (seen++ < WORDS_MOST && event_members_item(&list, &item)) {
        uint32_t value;
        DoctorCode code = read_word(exam, event_raw_text(item.raw), &value);
        if (code == DOCTOR_CODE_COUNT || is_noted(exam, before, code, value)) continue;
        if (!vector_reserve(exam->troubles, exam->trouble_capacity, exam->trouble_count + 1, DOCTOR_TROUBLES_MAX)) {
            exam->is_cut = true;
            break;
        }
        exam->troubles[exam->trouble_count++] = (DoctorTrouble){ .pos = pos, .code = code, .page = page,
                                                                 .value = value };
    }
    exam->trouble_names += exam->names.count - names;
    return exam->trouble_count > before;
}

/* ---- The pass ---- */

/* Keeps the troubles of messages that have a row with an anonymous id: repeats and suppressed ids have no rows. */
static void find_rows(struct exam *exam)
{
    size_t kept = 0;
    for (size_t at = 0; at < exam->trouble_count; at++) {
        DoctorTrouble one = exam->troubles[at];
        const DoctorRow *row = doctor_find_row(exam, one.pos);
        if (!row || row->device == IDENTITY_NONE) continue;
        one.row = (uint32_t)(row - exam->rows);
        exam->troubles[kept++] = one;
    }
    exam->trouble_count = kept;
}

static int compare_scope(const struct exam *exam, const DoctorTrouble *x, const DoctorTrouble *y)
{
    if (x->code != y->code) return doctor_compare(x->code, y->code);
    return doctor_compare(exam->rows[x->row].source, exam->rows[y->row].source);
}

static int by_visitor(const void *a, const void *b, void *context)
{
    const struct exam *exam = context;
    const DoctorTrouble *x = a, *y = b;
    int order = compare_scope(exam, x, y);
    if (!order) order = doctor_compare(exam->rows[x->row].device, exam->rows[y->row].device);
    if (!order) order = doctor_compare_time(&exam->rows[x->row], &exam->rows[y->row]);
    return order ? order : doctor_compare(x->value, y->value);
}

static int by_page(const void *a, const void *b, void *context)
{
    const struct exam *exam = context;
    const DoctorTrouble *x = a, *y = b;
    if (x->page != y->page) return doctor_compare(x->page, y->page);
    return doctor_compare(exam->rows[x->row].device, exam->rows[y->row].device);
}

/* Each visitor is one case, with the visitor's last message that reports the fault. */
static struct tally *count_visitors(struct exam *exam, const DoctorTrouble *from, const DoctorTrouble *to)
{
    struct tally *tally = NULL;
    for (const DoctorTrouble *one = from; one < to;) {
        const DoctorTrouble *first = one;
        const DoctorRow *row = &exam->rows[one->row], *last = row;
        Millis first_ms = row->arrival_ms;
        for (; one < to && exam->rows[one->row].device == exam->rows[first->row].device; one++) {
            last = &exam->rows[one->row];
            if (last->arrival_ms < first_ms) first_ms = last->arrival_ms;
        }
        tally = tally_case(exam, (DoctorCode)from->code, 0, last);
        if (!tally) return NULL;
        if (first_ms < tally->first_ms) tally->first_ms = first_ms;
    }
    return tally;
}

static void count_pages(struct exam *exam, struct tally *tally, DoctorTrouble *from, const DoctorTrouble *to)
{
    qsort_r(from, (size_t)(to - from), sizeof *from, by_page, exam);
    for (const DoctorTrouble *one = from; one < to;) {
        const DoctorTrouble *first = one;
        uint64_t visitors = 0;
        for (; one < to && one->page == first->page; one++)
            visitors += one == first || exam->rows[one->row].device != exam->rows[one[-1].row].device;
        if (first->page) tally_place(exam, tally, first->page, visitors);
    }
}

/* The finding's value: the names of its cookies, sorted. */
static void name_values(struct exam *exam, struct tally *tally, const DoctorTrouble *from, const DoctorTrouble *to)
{
    uint32_t names[VALUE_NAMES];
    uint32_t count = 0;
    char room[VALUE_BYTES];
    struct buf text;
    for (const DoctorTrouble *one = from; one < to; one++) {
        uint32_t at = count, to_at;
        if (!one->value) continue;
        while (at > 0 && str_compare(exam->names.texts[names[at - 1]], exam->names.texts[one->value]) > 0) at--;
        if ((at > 0 && names[at - 1] == one->value) || at == VALUE_NAMES) continue;
        if (count < VALUE_NAMES) count++;
        for (to_at = count - 1; to_at > at; to_at--) names[to_at] = names[to_at - 1];
        names[at] = one->value;
    }
    buf_init_fixed(&text, room, sizeof room);
    for (uint32_t at = 0; at < count; at++)
        buf_printf(&text, "%s%.*s", at ? ", " : "", STR_FORMAT(exam->names.texts[names[at]]));
    if (text.len && buf_ok(&text)) tally->value = doctor_name(&exam->names, buf_str(&text));
}

/* Counts the visitors of each source who were on a page, or whose page reported a fault. */
static Status count_units(struct exam *exam, Err *err)
{
    size_t count = exam->names.count;
    IdentityNode *last = malloc((count + 1) * sizeof *last);
    if (!last) return err_set(err, ERR_TOO_LARGE, "the doctor: no memory for %zu sources", count);
    for (size_t at = 0; at <= count; at++) last[at] = IDENTITY_NONE;
    for (size_t at = 0; at < exam->device_row_count; at++) {
        const DoctorRow *row = &exam->rows[exam->by_device[at]];
        bool is_page = row->type != EVENT_ALIAS && row->host;
        if ((!is_page && !(row->flags & ROW_TROUBLE)) || last[row->source] == row->device) continue;
        last[row->source] = row->device;
        for (DoctorCode code = DOCTOR_BR_1; code <= DOCTOR_BR_4; code++) {
            struct tally *tally = tally_find(exam, code, row->source, 0);
            if (tally) tally->of++;
        }
    }
    free(last);
    return OK;
}

Status doctor_pass_troubles(struct exam *exam, Err *err)
{
    find_rows(exam);
    if (!exam->trouble_count) return OK;
    DoctorTrouble *end = exam->troubles + exam->trouble_count, *to;
    qsort_r(exam->troubles, exam->trouble_count, sizeof *exam->troubles, by_visitor, exam);
    for (DoctorTrouble *from = exam->troubles; from < end; from = to) {
        for (to = from; to < end && !compare_scope(exam, from, to);) to++;
        struct tally *tally = count_visitors(exam, from, to);
        if (!tally) continue;
        name_values(exam, tally, from, to);
        count_pages(exam, tally, from, to);
    }
    Status s = count_units(exam, err);
    return s ? s : doctor_go_on(exam, err);
}

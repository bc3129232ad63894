/* faults: what goes wrong at a destination, by kind: its dead letters, which are kept, by reason and status. */
#include "faults.h"

#include <stdlib.h>

enum { ERROR_KINDS = 64, REASON_BYTES = 200, LETTERS_MOST = 20000, SCRATCH_BYTES = 24 * 1024 * 1024 };

typedef struct ErrorKind {
    char reason[REASON_BYTES + 1];
    int64_t status;                     /* 0: no answer came */
    uint64_t count, newest;             /* newest: number of a letter */
    Millis first_ms, last_ms;
} ErrorKind;

struct error_kinds {
    ErrorKind items[ERROR_KINDS];
    size_t count;
    uint64_t letters, others;
    struct region region;
};

static const char *describe(int64_t status)
{
    static const struct { int64_t from, to; const char *text; } rows[] = {
        { 0, 0, "no answer came, or none was waited for: the address, the network or the vendor is at fault" },
        { 401, 401, "the vendor did not accept the key: look at the destination's settings" },
        { 403, 403, "the vendor did not accept the key, or the key may not do this: look at the settings" },
        { 404, 404, "nothing answers at this address: look at the destination's settings" },
        { 408, 408, "the vendor did not take the request in time" },
        { 413, 413, "the vendor finds the request too large" },
        { 429, 429, "the vendor asks for fewer requests: requests_per_second sets how many are sent" },
        { 400, 499, "the vendor finds something wrong with the message: the sample shows what was sent" },
        { 500, 599, "the vendor failed: try again once it works (redo)" },
        { 100, 399, "the vendor answered, and did not take the message" },
    };
    for (size_t at = 0; at < countof(rows); at++)
        if (status >= rows[at].from && status <= rows[at].to) return rows[at].text;
    return "an answer that is none of HTTP's";
}

/* Words with a digit are somebody's: an id, a time, a number. Without them reasons of one kind are the same. */
static Str shorten(Str reason, char room[REASON_BYTES])
{
    size_t len = 0;
    while (reason.len && len < REASON_BYTES) {
        Str word = str_cut(reason, ' ', &reason);
        bool is_own = false;
        for (size_t at = 0; at < word.len; at++) is_own |= word.bytes[at] >= '0' && word.bytes[at] <= '9';
        if (is_own) word = STR("#");
        word = str_slice(word, 0, REASON_BYTES - len);
        if (len) room[len++] = ' ';
        if (len + word.len > REASON_BYTES) break;
        memcpy(room + len, word.bytes, word.len);
        len += word.len;
    }
    return (Str){ room, len };
}

static ErrorKind *find_kind(struct error_kinds *kinds, Str reason, int64_t status)
{
    char room[REASON_BYTES];
    reason = shorten(reason, room);
    for (size_t at = 0; at < kinds->count; at++)
        if (kinds->items[at].status == status && str_equal(str_from(kinds->items[at].reason), reason))
            return &kinds->items[at];
    if (kinds->count == ERROR_KINDS) return NULL;
    ErrorKind *kind = &kinds->items[kinds->count++];
    *kind = (ErrorKind){ .status = status, .first_ms = INT64_MAX };
    if (reason.len) memcpy(kind->reason, reason.bytes, reason.len);
    return kind;
}

static bool note_letter(void *context, const DeadLetter *letter)
{
    struct error_kinds *kinds = context;
    Arena arena = region_arena(&kinds->region);
    const TreeNode *root;
    int64_t status = 0;
    Millis died_ms = 0;
    if (event_tree_read(letter->json, &arena, &root, NULL)) return ++kinds->letters < LETTERS_MOST;
    (void)str_parse_int(event_tree_text(root, "answer.status"), 0, 999, &status);
    (void)instant_parse(event_tree_text(root, "died_at"), &died_ms);
    ErrorKind *kind = find_kind(kinds, event_tree_text(root, "reason"), status);
    if (!kind) {
        kinds->others++;
    } else {
        kind->count++;
        kind->newest = letter->number;
        if (died_ms < kind->first_ms) kind->first_ms = died_ms;
        if (died_ms > kind->last_ms) kind->last_ms = died_ms;
    }
    return ++kinds->letters < LETTERS_MOST;
}

static bool put_sample(void *context, const DeadLetter *letter)
{
    struct buf *out = context;
    json_raw(out, "sample", letter->json);
    return false;
}

static int compare_kinds(const void *a, const void *b)
{
    const ErrorKind *left = a, *right = b;
    if (left->count != right->count) return left->count > right->count ? -1 : 1;
    return left->newest < right->newest ? 1 : -1;
}

static Status put_kind(const struct outbox_rows *rows, Str name, const ErrorKind *kind, struct buf *out, Err *err)
{
    json_object(out, NULL);
    json_string(out, "reason", str_from(kind->reason));
    if (kind->status) json_int(out, "status", kind->status);
    else json_null(out, "status");
    json_word(out, "description", describe(kind->status));
    json_uint(out, "count", kind->count);
    json_instant(out, "first_at", kind->first_ms);
    json_instant(out, "last_at", kind->last_ms);
    Status s = deliver_list_dead(rows, name, kind->newest - 1, put_sample, out, err);
    json_object_end(out);
    return s;
}

Status faults_write(const struct outbox_rows *rows, Str name, struct buf *out, Err *err)
{
    struct error_kinds *kinds = calloc(1, sizeof *kinds);
    if (!kinds) return err_set(err, ERR_FULL, "no memory for a list of errors");
    region_open(&kinds->region, SCRATCH_BYTES);
    Status s = deliver_list_dead(rows, name, 0, note_letter, kinds, err);
    region_close(&kinds->region);
    qsort(kinds->items, kinds->count, sizeof *kinds->items, compare_kinds);
    json_object(out, NULL);
    json_string(out, "destination", name);
    json_array(out, "errors");
    for (size_t at = 0; !s && at < kinds->count; at++) s = put_kind(rows, name, &kinds->items[at], out, err);
    json_array_end(out);
    json_uint(out, "others", kinds->others);
    json_bool(out, "is_whole", kinds->letters < LETTERS_MOST);
    json_object_end(out);
    free(kinds);
    return s;
}

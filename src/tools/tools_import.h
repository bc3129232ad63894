/* tools_import: what the files of `onym import` share. A file is read line by line, lines are gathered into
 * batches, a batch goes into a sink, and how far a file came is remembered once the sink said "durable".
 *
 * What a line means is collect's business: one that is no message is kept as rejected, with its number.
 * Twice is once: collect gives a line without messageId one made of its bytes, so a line that is sent again
 * after a crash is the same message.
 */
#ifndef ONYM_TOOLS_IMPORT_H
#define ONYM_TOOLS_IMPORT_H

#include "command/command.h"

enum {
    IMPORT_LINE_BYTES = LIMIT_BODY_BYTES / 2,     /* a longer line is no message */
    IMPORT_BATCH_BYTES = LIMIT_BODY_BYTES - 64,   /* fits the server's limit of a body */
    IMPORT_BATCH_LINES = 2000,                    /* so that what is added to each line fits an append */
};
_Static_assert((int)IMPORT_BATCH_LINES * 1024 + (int)LIMIT_BODY_BYTES <= (int)LIMIT_APPEND_BYTES,
               "a batch fits an append");

/* ---- Where batches go (tools_import_sink.c) ---- */

typedef struct ImportSent {
    uint64_t accepted, rejected;
} ImportSent;

/* ---- What is no NDJSON (tools_import_kind.c) ---- */

/* What is wrong with a file that begins so, and the way out; NULL: it may be read. A JSON array may, its items are
 * lines. */
const char *import_kind_problem(Str begin);

/* ---- How many of them are repetitions (tools_import_repeats.c) ---- */

struct import_repeats {
    uint64_t from;                         /* where the journal ended before the import */
    bool is_known;
};
void import_repeats_begin(struct import_repeats *repeats, const struct config *config, Arena *arena);
/* False where it cannot be told: the data directory is elsewhere, or there are too many. accepted: by this import. */
bool import_repeats_count(const struct import_repeats *repeats, const struct config *config, uint64_t accepted,
                          Arena *arena, uint64_t *ret);

struct import_sink {
    /* Sends lines, the first of which has that number in its file; returns when they are durable.
     * ERR_TOO_LARGE: fewer lines may do. */
    Status (*send)(struct import_sink *sink, Str lines, uint64_t first_number, ImportSent *ret, Err *err);
    void (*close)(struct import_sink *sink);
};

/* Where the data directory is free: straight into its journal; else, or with url, through the server that has it. */
Status MUST import_sink_open(const struct config *config, const Source *source, const char *url, Arena *arena,
                             struct import_sink **ret, Err *err);
/* Straight into the journal. ERR_CONFLICT: a server has it. source NULL: each line's own, by projectId. */
Status MUST import_sink_open_journal(const struct config *config, const Source *source, Arena *arena,
                                     struct import_sink **ret, Err *err);
/* Through a running server: POST <url>/v1/import with the secret key. Waits and repeats where the server
 * is busy, full or not there, for some minutes. */
Status MUST import_sink_open_server(const struct config *config, const Source *source, const char *url, Arena *arena,
                                    struct import_sink **ret, Err *err);

/* ---- Lines of a file (tools_import_lines.c) ---- */

struct import_lines;
typedef struct ImportLine {
    Str text;                              /* without its end */
    uint64_t offset, next;                 /* in the unpacked bytes: of its start, and after its end */
    bool is_too_long;                      /* text is its beginning */
} ImportLine;

/* path "-": standard input. Plain or gzip, as its first bytes say. */
Status MUST import_lines_open(const char *path, struct import_lines **ret, Err *err);
void import_lines_close(struct import_lines *lines);          /* accepts NULL */
/* What the file begins with, before anything of it is read; as much as fits. */
Status MUST import_lines_look(struct import_lines *lines, Str *ret_begin, Err *err);
/* Passes over the unpacked bytes before the offset. */
Status MUST import_lines_skip(struct import_lines *lines, uint64_t offset, Err *err);
/* ERR_NOT_FOUND at the end; ERR_DAMAGED: gzip that is broken or cut off. */
Status MUST import_lines_read(struct import_lines *lines, ImportLine *ret, Err *err);
uint64_t import_lines_done_bytes(const struct import_lines *lines);   /* of the file as it is, packed or not */

/* ---- How far a file came (tools_import_state.c) ---- */

struct import_state {
    char path[4200];
    bool is_kept;                          /* false for standard input: nothing is remembered */
    uint64_t file_bytes;
    uint64_t offset;                       /* unpacked bytes that are dealt with */
    uint64_t lines, accepted, rejected;
    bool is_done;
};

/* The state of a file by its content's identity (size and first bytes), wherever it is. */
Status MUST import_state_load(const struct config *config, const char *file, bool restart, Arena scratch,
                              struct import_state *ret, Err *err);
Status MUST import_state_save(struct import_state *state, Err *err);

#endif

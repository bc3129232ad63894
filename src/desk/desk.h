/* desk: what people keep with the dashboard: sources, saved questions, and who ordered what.
 *
 * What it is not: it knows no HTTP and no role. Who may change what is said by the table of routes. What the
 * configuration says stays the configuration's: nothing here changes it.
 *
 * Files in the data directory, each small and written whole (temporary, sync, rename), but for the last:
 *   sources.json   {"sources":[{"name","write_key","enabled","server","old_key","old_key_until","made_by","made_at"}]}
 *   saved.json     {"saved":[{"id","name","kind","question","view","saved_by","saved_at"}]}
 *   audit.ndjson   a line an order, {"number","at","who","role","method","path","status","about"}, oldest first
 * Instants in files are milliseconds since 1970.
 *
 * Rules
 *  1. A change is on disk before it is answered, and counts only then. Orders come to disk within a second or two,
 *     since nobody who is answered waits for that; the log has each of them at once.
 *  2. A file that cannot be read stays as it is: what it holds is unknown, changes are refused and say why, and all
 *     else goes on. Of the orders, lines that are none are left out.
 *  3. Sources of the configuration come first. One of the dashboard with the name or write key of another is left out.
 *  4. A source's old key goes on for a time of grace; what comes by it afterwards is rejected with key_rotated. It is
 *     remembered until the next rotation.
 *  5. Counts and sizes are bounded as below; of orders the newest DESK_NOTES are kept.
 * Threads: any, but open and close.
 */
#ifndef ONYM_DESK_DESK_H
#define ONYM_DESK_DESK_H

#include "collect/collect.h"
#include "os/os.h"

enum {
    DESK_SOURCES = 256,
    DESK_SAVED = 256,
    DESK_NOTES = 4096,
    DESK_NAME_BYTES = 64,                /* of a source: letters, digits, ".", "_", "-" */
    DESK_TITLE_BYTES = 200,              /* of a saved question: any text */
    DESK_QUESTION_BYTES = 16 * 1024,
    DESK_VIEW_BYTES = 4 * 1024,
    DESK_ID_CHARS = 8,                   /* of a saved question */
    DESK_GRACE_HOURS = 24, DESK_GRACE_HOURS_MOST = 30 * 24,
};

typedef struct DeskOptions {
    const char *dir;                     /* the data directory; kept, copied */
    struct disk *disk;
    struct clock *clock;
    struct dice *dice;
    struct collector *collector;         /* who is told of sources; NULL: nobody */
} DeskOptions;

struct desk;
/* trouble: why a file was not believed, or empty; it names the file. */
Status MUST desk_open(const DeskOptions *options, struct desk **ret, char trouble[ERR_TEXT_BYTES], Err *err);
void desk_close(struct desk *desk);                      /* accepts NULL; writes nothing */
/* Judges the files of a stopped server; those that are not there are fine. */
Status MUST desk_verify(struct disk *disk, const char *dir, Err *err);

/* ---- Sources ---- */

/* At a start and at a reload: what the configuration has. They and the dashboard's become the collector's. The list is
 * borrowed until the next call, or desk_close. ret_left_out: how many of the dashboard's rule 3 leaves out. */
Status MUST desk_set_sources(struct desk *desk, const Source *sources, size_t count, size_t *ret_left_out, Err *err);
typedef enum DeskChange { DESK_ENABLE, DESK_DISABLE, DESK_ROTATE } DeskChange;
/* A new source, with a write key that nobody knew. ERR_INPUT: what is no name; ERR_CONFLICT: it is taken;
 * ERR_TOO_LARGE: there are as many as there may be. by: who, as kept beside it. */
Status MUST desk_add_source(struct desk *desk, Str name, bool is_server, const char *by, Err *err);
/* grace_ms: of DESK_ROTATE; 0: the old key ends at once. ERR_NOT_FOUND; ERR_CONFLICT: the configuration has it. */
Status MUST desk_change_source(struct desk *desk, Str name, DeskChange change, Millis grace_ms, Err *err);

/* ---- Saved questions ---- */

typedef struct DeskQuestion {
    Str id;                              /* empty: a new one; else it takes that one's place */
    Str name, kind;                      /* kind: a word of the API's own */
    Str question, view;                  /* JSON objects; view may be empty */
    const char *by;
} DeskQuestion;
/* Writes the row, as desk_write_saved does. ERR_INPUT; ERR_NOT_FOUND: no such id; ERR_TOO_LARGE. */
Status MUST desk_save(struct desk *desk, const DeskQuestion *question, struct buf *out, Err *err);
Status MUST desk_forget_saved(struct desk *desk, Str id, Err *err);
/* The row of an id; of an empty id all rows, newest first, as the items of an array that the caller has begun. */
Status MUST desk_write_saved(struct desk *desk, Str id, struct buf *out, Err *err);

/* ---- Who ordered what ---- */

typedef struct DeskNote {
    uint64_t number;                     /* counted from 1; given by desk_note */
    Millis at_ms;
    uint32_t status;                     /* of the answer */
    char who[96], role[12], method[12];
    char path[104];                      /* of the route, with its stars: it names nobody */
    char about[72];                      /* a source, a destination, a session; empty: nothing that may stand here */
} DeskNote;
/* Takes a copy; touches no disk. Texts that are too long are the caller's to cut. */
void desk_note(struct desk *desk, const DeskNote *note);
/* Writes what is not on disk yet; blocks. After a failure it waits for a minute, unless is_last. */
Status MUST desk_keep(struct desk *desk, bool is_last, Err *err);
/* The items of an array: newest first, those below before (0: from the newest), at most limit. ret_next: what to go on
 * with as before; 0: that was all. */
void desk_write_notes(struct desk *desk, uint64_t before, size_t limit, struct buf *out, uint64_t *ret_next);

#endif

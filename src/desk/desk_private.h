/* What the files of desk/ share; desk.h is what others see. */
#ifndef ONYM_DESK_PRIVATE_H
#define ONYM_DESK_PRIVATE_H

#include <pthread.h>

#include "desk.h"
#include "event/event.h"

enum { DESK_PATH_BYTES = 4096 + 32, DESK_KEY_CHARS = 32, DESK_FILE_BYTES = 16 * 1024 * 1024,
       DESK_REGION_BYTES = 192 * 1024 * 1024 };          /* reserved for a tree of such a file, not used */

struct desk_source {
    char name[DESK_NAME_BYTES + 1], key[LIMIT_WRITE_KEY_BYTES + 1], old_key[LIMIT_WRITE_KEY_BYTES + 1];
    Millis old_key_until_ms, made_at_ms;
    bool is_enabled, is_server;
    char made_by[88];
};

struct desk_saved {
    char id[DESK_ID_CHARS + 1];
    char *json;                          /* the row, as it is answered and kept */
};

struct desk_sources {
    struct desk_source rows[DESK_SOURCES];
    size_t count;
};

struct desk {
    DeskOptions options;
    char dir[4096];
    pthread_mutex_t lock;                /* over all but notes; held during writes: changes are rare */
    struct desk_sources sources;
    const Source *configured;
    size_t configured_count;
    struct desk_saved saved[DESK_SAVED]; /* oldest first */
    size_t saved_count;
    /* Empty: the file was read. */
    char sources_trouble[ERR_TEXT_BYTES], saved_trouble[ERR_TEXT_BYTES], notes_trouble[ERR_TEXT_BYTES];
    pthread_mutex_t notes_lock;          /* over what follows; never held during a write */
    DeskNote notes[DESK_NOTES];          /* a ring: number modulo its length */
    uint64_t last, written;              /* numbers of the newest, and of the newest on disk */
    pthread_mutex_t keep_lock;           /* one writes at a time; taken first, and for what follows */
    uint64_t file_bytes;                 /* good bytes of the file of notes */
    bool is_rewritten;                   /* its end is no whole line: the next write is of all */
    int64_t failed_at_ns;
};

void desk_path(const char *dir, const char *name, char path[DESK_PATH_BYTES]);
/* The list of that name in a file; NULL where there is no file. ERR_DAMAGED names the file. */
struct desk_list { const char *file, *list; };
Status MUST desk_read_list(struct disk *disk, const char *dir, struct desk_list of, Arena *arena, const TreeNode **ret,
                           Err *err);
/* Replaces a file by what is in out, which may have failed. */
Status MUST desk_write_file(struct desk *desk, const char *file, const struct buf *out, Err *err);

Status MUST desk_sources_read(struct disk *disk, const char *dir, Arena *arena, struct desk_sources *ret, Err *err);
Status MUST desk_saved_read(struct desk *desk, Arena *arena, Err *err);
void desk_saved_done(struct desk *desk);
Status MUST desk_notes_read(struct desk *desk, Arena *arena, Err *err);

#endif

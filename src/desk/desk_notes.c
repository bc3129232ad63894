/* desk_notes: who ordered what. A ring in memory, and a file to which lines are appended; when that is twice as long as
 * the ring it is written anew from the ring. A line that a crash has cut is left out, and the next write is of all. */
#include "desk_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE_BYTES = 700, FILE_MOST_BYTES = DESK_NOTES * LINE_BYTES };
static_assert((int)FILE_MOST_BYTES < (int)DESK_FILE_BYTES, "a file of notes can be read");
static const char file_name[] = "audit.ndjson";
static const int64_t AGAIN_NS = 60 * INT64_C(1000000000);

static void put_note(struct buf *out, const DeskNote *note, bool is_kept)
{
    json_object(out, NULL);
    json_uint(out, "number", note->number);
    if (is_kept) json_int(out, "at", note->at_ms);
    else json_instant(out, "at", note->at_ms);
    json_string(out, "who", str_from(note->who));
    json_string(out, "role", str_from(note->role));
    json_string(out, "method", str_from(note->method));
    json_string(out, "path", str_from(note->path));
    json_uint(out, "status", note->status);
    json_string_or_null(out, "about", str_from(note->about));
    json_object_end(out);
}

/* ---- The ring, under its lock ---- */

static DeskNote *place_of(struct desk *desk, uint64_t number) { return &desk->notes[number % DESK_NOTES]; }

static uint64_t oldest(const struct desk *desk) { return desk->last > DESK_NOTES ? desk->last - DESK_NOTES + 1 : 1; }

void desk_note(struct desk *desk, const DeskNote *note)
{
    pthread_mutex_lock(&desk->notes_lock);
    uint64_t number = ++desk->last;
    *place_of(desk, number) = *note;
    place_of(desk, number)->number = number;
    pthread_mutex_unlock(&desk->notes_lock);
}

void desk_write_notes(struct desk *desk, uint64_t before, size_t limit, struct buf *out, uint64_t *ret_next)
{
    size_t count = 0;
    pthread_mutex_lock(&desk->notes_lock);
    uint64_t at = before && before <= desk->last ? before - 1 : desk->last, first = oldest(desk);
    for (; at >= first && count < limit; at--) {
        if (place_of(desk, at)->number != at) continue;      /* a line that was lost */
        put_note(out, place_of(desk, at), false);
        count++;
    }
    pthread_mutex_unlock(&desk->notes_lock);
    *ret_next = at >= first ? at + 1 : 0;
}

/* ---- The file ---- */

static void copy_field(const TreeNode *row, const char *name, char *text, size_t bytes)
{
    Str from = event_tree_text(row, name);
    snprintf(text, bytes, "%.*s", STR_FORMAT(from));
}

static bool read_note(Str line, Arena scratch, DeskNote *ret)
{
    const TreeNode *row;
    int64_t number, status;
    *ret = (DeskNote){ 0 };
    if (event_tree_read(line, &scratch, &row, NULL)) return false;
    if (!str_parse_int(event_tree_text(row, "number"), 1, INT64_MAX - 1, &number)) return false;
    if (!str_parse_int(event_tree_text(row, "status"), 0, 999, &status)) return false;
    ret->number = (uint64_t)number;
    ret->status = (uint32_t)status;
    ret->at_ms = event_tree_millis(row, "at");
    copy_field(row, "who", ret->who, sizeof ret->who);
    copy_field(row, "role", ret->role, sizeof ret->role);
    copy_field(row, "method", ret->method, sizeof ret->method);
    copy_field(row, "path", ret->path, sizeof ret->path);
    copy_field(row, "about", ret->about, sizeof ret->about);
    return true;
}

Status desk_notes_read(struct desk *desk, Arena *arena, Err *err)
{
    char path[DESK_PATH_BYTES];
    DeskNote note;
    Str text;
    desk_path(desk->dir, file_name, path);
    Status s = disk_read_file(desk->options.disk, path, DESK_FILE_BYTES, arena, &text, err);
    if (s == ERR_NOT_FOUND) return OK;
    desk->is_rewritten = s == ERR_TOO_LARGE;
    if (s) return s == ERR_TOO_LARGE ? OK : s;
    desk->file_bytes = text.len;
    if (text.len && text.bytes[text.len - 1] != '\n') desk->is_rewritten = true;
    while (text.len) {
        Str line = str_cut(text, '\n', &text);
        if (!read_note(line, *arena, &note) || note.number <= desk->last) desk->is_rewritten = true;
        else *place_of(desk, desk->last = note.number) = note;
    }
    desk->written = desk->last;
    return OK;
}

/* The lines from number on; gives the newest of them. */
static uint64_t put_lines(struct desk *desk, uint64_t number, struct buf *out)
{
    pthread_mutex_lock(&desk->notes_lock);
    uint64_t last = desk->last;
    if (number < oldest(desk)) number = oldest(desk);
    for (; number <= last; number++) {
        if (place_of(desk, number)->number != number) continue;
        struct buf line;
        char bytes[4 * LINE_BYTES];
        buf_init_fixed(&line, bytes, sizeof bytes);
        put_note(&line, place_of(desk, number), true);
        buf_char(&line, '\n');
        if (buf_ok(&line)) buf_str_put(out, buf_str(&line));
    }
    pthread_mutex_unlock(&desk->notes_lock);
    return last;
}

static Status append(struct desk *desk, Str lines, Err *err)
{
    char path[DESK_PATH_BYTES];
    struct disk *disk = desk->options.disk;
    DiskFile file;
    desk_path(desk->dir, file_name, path);
    Status s = disk->open(disk, path, DISK_WRITE, &file, err);
    if (s) return s;
    s = disk->write(disk, file, desk->file_bytes, &lines, 1, err);
    if (!s) s = disk->sync(disk, file, err);
    disk->close(disk, file);
    return s;
}

static Status write_lines(struct desk *desk, Err *err)
{
    struct buf out;
    bool is_whole = desk->is_rewritten || !desk->file_bytes || desk->file_bytes > FILE_MOST_BYTES / 2;
    buf_init(&out, DESK_FILE_BYTES);
    uint64_t last = put_lines(desk, is_whole ? 1 : desk->written + 1, &out);
    Status s = is_whole || !buf_ok(&out) ? desk_write_file(desk, file_name, &out, err)
                                         : append(desk, buf_str(&out), err);
    if (!s) desk->file_bytes = is_whole ? out.len : desk->file_bytes + out.len;
    if (!s) desk->written = last;
    desk->is_rewritten = s != OK;                            /* nobody knows what an append has left */
    buf_done(&out);
    return s;
}

Status desk_keep(struct desk *desk, bool is_last, Err *err)
{
    Status s = OK;
    pthread_mutex_lock(&desk->keep_lock);
    int64_t now_ns = clock_elapsed_ns(desk->options.clock);
    bool is_early = !is_last && desk->failed_at_ns && now_ns - desk->failed_at_ns < AGAIN_NS;
    pthread_mutex_lock(&desk->notes_lock);
    bool is_needed = desk->last != desk->written && !is_early && !desk->notes_trouble[0];
    pthread_mutex_unlock(&desk->notes_lock);
    if (is_needed) {
        s = write_lines(desk, err);
        desk->failed_at_ns = s ? now_ns : 0;
    }
    pthread_mutex_unlock(&desk->keep_lock);
    return s;
}

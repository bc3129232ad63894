/* control_unread: places that an erasure could not look into; they are reported until the state is made anew.
 *
 * A record whose checksum is right may still say nothing that this program can read: a fault of memory or a
 * newer Onym wrote it. If one of the erased ids is in it as text, the record is erased like any other. If none is, the
 * record stays, but it may still be about the person, so its place is reported. The same holds for segments that cannot
 * be read at all. Rows keep the places, so that they are reported after a start, too; these rows name nobody.
 *   'u' u64 position of the command, u64 place -> u64 its end, why
 */
#include "control_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { PLAIN_BYTES_LEAST = 4, KEY_BYTES = 17 };

/* ---- Looking ---- */

/* Looks for the id as a JSON string; and in plain text, unless it is so short that it may be there by chance. */
static bool stands_in(Str record, Str id, struct buf *quoted)
{
    buf_clear(quoted);
    buf_json_string(quoted, id);
    return str_contains(record, buf_str(quoted)) || (id.len >= PLAIN_BYTES_LEAST && str_contains(record, id));
}

bool control_names_in_bytes(const JournalCommand *command, Str record, struct buf *quoted)
{
    for (size_t at = 0; at < command->id_count; at++) {
        Str id = command->ids[at].value, value;
        if (!command_id_is_whole(&command->ids[at])) continue;           /* only its time tells whose it is */
        if (stands_in(record, id, quoted)) return true;
        if (command->ids[at].kind != COMMAND_EXTERNAL_ID) continue;
        (void)str_cut(id, ':', &value);
        if (value.len && stands_in(record, value, quoted)) return true;
    }
    return false;
}

/* ---- Keeping ---- */

static void unread_key(const ControlUnread *place, char key[KEY_BYTES])
{
    key[0] = 'u';
    kv_key_u64(key + 1, place->command);
    kv_key_u64(key + 9, place->from);
}

static void remove_first(struct control *control)
{
    char key[KEY_BYTES];
    unread_key(&control->unread[0], key);
    control_note_change_locked(control, str_of(key, sizeof key), NULL);
    memmove(control->unread, control->unread + 1, --control->unread_count * sizeof *control->unread);
}

/* Under the lock. If an erasure has too many places, the last one is extended over all that follow. */
static ControlUnread *find_place(struct control *control, JournalPos command, JournalPos from)
{
    ControlUnread *last = NULL;
    size_t count = 0;
    for (size_t at = 0; at < control->unread_count; at++) {
        ControlUnread *place = &control->unread[at];
        if (place->command != command) continue;
        if (place->from == from) return place;
        count++;
        last = place;
    }
    return count == CONTROL_UNREAD_PLACES ? last : NULL;
}

static ControlUnread *add_place(struct control *control)
{
    if (!control->unread) control->unread = calloc(CONTROL_UNREAD_MOST, sizeof *control->unread);
    check(control->unread);
    if (control->unread_count == CONTROL_UNREAD_MOST) remove_first(control);
    return &control->unread[control->unread_count++];
}

void control_note_unread(struct control *control, JournalPos command, JournalPos from, JournalPos to, const char *why)
{
    char key[KEY_BYTES], row[8 + sizeof control->unread->why];
    pthread_mutex_lock(&control->lock);
    ControlUnread *place = find_place(control, command, from);
    if (!place) {
        place = add_place(control);
        *place = (ControlUnread){ .command = command, .from = from, .to = to };
        snprintf(place->why, sizeof place->why, "%s", why);
    } else if (place->from != from && to > place->to) {
        place->to = to;
        snprintf(place->why, sizeof place->why, "several places in this range; onym verify lists them");
    }
    memcpy(row, &place->to, 8);
    size_t bytes = strlen(place->why);
    memcpy(row + 8, place->why, bytes);
    Str value = str_of(row, 8 + bytes);
    unread_key(place, key);
    control_note_change_locked(control, str_of(key, sizeof key), &value);
    pthread_mutex_unlock(&control->lock);
}

Status control_load_unread(struct control *control, struct kv_txn *txn, Err *err)
{
    struct kv_cursor *cursor;
    Str key, value;
    Status s = kv_cursor_open(txn, control->options.table, &cursor, err);
    if (s) return s;
    pthread_mutex_lock(&control->lock);
    s = kv_find(cursor, STR("u"), &key, &value, err);
    for (; !s && key.bytes[0] == 'u'; s = kv_next(cursor, &key, &value, err)) {
        if (key.len != KEY_BYTES || value.len < 8 || value.len - 8 >= sizeof control->unread->why) continue;
        ControlUnread *place = add_place(control);
        *place = (ControlUnread){ .command = kv_read_u64(key.bytes + 1), .from = kv_read_u64(key.bytes + 9) };
        memcpy(&place->to, value.bytes, 8);
        memcpy(place->why, value.bytes + 8, value.len - 8);
    }
    pthread_mutex_unlock(&control->lock);
    kv_cursor_close(cursor);
    return s == ERR_NOT_FOUND ? OK : s;
}

size_t control_list_unread(struct control *control, JournalPos first, JournalPos last, ControlUnread *places,
                           size_t max)
{
    size_t count = 0;
    pthread_mutex_lock(&control->lock);
    for (size_t at = 0; at < control->unread_count && count < max; at++)
        if (control->unread[at].command >= first && control->unread[at].command <= last)
            places[count++] = control->unread[at];
    pthread_mutex_unlock(&control->lock);
    return count;
}

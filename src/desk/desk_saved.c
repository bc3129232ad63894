/* desk_saved: questions with names. A row is kept as the text that is answered: nothing here reads a question. */
#include "desk_private.h"

#include <stdio.h>
#include <stdlib.h>

static const char file_name[] = "saved.json";

static char *copy(Str text)
{
    char *bytes = malloc(text.len + 1);
    if (!bytes) return NULL;
    memcpy(bytes, text.bytes, text.len);
    bytes[text.len] = 0;
    return bytes;
}

void desk_saved_done(struct desk *desk)
{
    for (size_t at = 0; at < desk->saved_count; at++) free(desk->saved[at].json);
    desk->saved_count = 0;
}

Status desk_saved_read(struct desk *desk, Arena *arena, Err *err)
{
    const TreeNode *list;
    struct desk_list of = { file_name, "saved" };
    Status s = desk_read_list(desk->options.disk, desk->dir, of, arena, &list, err);
    if (s || !list) return s;
    for (const TreeNode *row = list->first; !s && row; row = row->next) {
        Str id = event_tree_text(row, "id");
        struct desk_saved *saved = &desk->saved[desk->saved_count];
        if (id.len != DESK_ID_CHARS || desk->saved_count == DESK_SAVED) {
            s = err_set(err, ERR_DAMAGED, "%s/%s: question %zu is none", desk->dir, file_name, desk->saved_count);
        } else if (!(saved->json = copy(row->raw))) {
            s = err_set(err, ERR_FULL, "%s: no memory", file_name);
        } else {
            memcpy(saved->id, id.bytes, id.len);
            desk->saved_count++;
        }
    }
    if (s) desk_saved_done(desk);
    return s;
}

static struct desk_saved *find(struct desk *desk, Str id)
{
    for (size_t at = 0; at < desk->saved_count; at++)
        if (str_equal(str_from(desk->saved[at].id), id)) return &desk->saved[at];
    return NULL;
}

/* ---- Changes, under the lock ---- */

/* The file as it would be with made in place of, or after, all others (NULL: without the one at place). */
static Status write_file(struct desk *desk, size_t place, const struct desk_saved *made, Err *err)
{
    struct buf out;
    buf_init(&out, DESK_FILE_BYTES);
    json_object(&out, NULL);
    json_array(&out, "saved");
    for (size_t at = 0; at < desk->saved_count; at++)
        if (at != place) json_raw(&out, NULL, str_from(desk->saved[at].json));
    if (made) json_raw(&out, NULL, str_from(made->json));
    json_array_end(&out);
    json_object_end(&out);
    Status s = desk_write_file(desk, file_name, &out, err);
    buf_done(&out);
    return s;
}

static void take_out(struct desk *desk, size_t place)
{
    free(desk->saved[place].json);
    desk->saved_count--;
    memmove(&desk->saved[place], &desk->saved[place + 1], (desk->saved_count - place) * sizeof *desk->saved);
}

static Status put(struct desk *desk, Str replaced, const struct desk_saved *made, Err *err)
{
    const struct desk_saved *old = replaced.len ? find(desk, replaced) : NULL;
    size_t place = old ? (size_t)(old - desk->saved) : desk->saved_count;
    if (replaced.len && !old)
        return err_set(err, ERR_NOT_FOUND, "there is no saved question %.*s", STR_FORMAT(replaced));
    if (!old && desk->saved_count == DESK_SAVED)
        return err_set(err, ERR_TOO_LARGE, "there are %d saved questions, which is the most; delete one first",
                       DESK_SAVED);
    Status s = write_file(desk, place, made, err);
    if (s) return s;
    if (old) take_out(desk, place);
    desk->saved[desk->saved_count++] = *made;
    return OK;
}

static Status check_question(const DeskQuestion *question, Err *err)
{
    if (!question->name.len || question->name.len > DESK_TITLE_BYTES)
        return err_set_field(err, "name", "a name has 1 to %d bytes", DESK_TITLE_BYTES);
    if (question->question.len > DESK_QUESTION_BYTES)
        return err_set_field(err, "question", "a question has at most %d bytes", DESK_QUESTION_BYTES);
    if (question->view.len > DESK_VIEW_BYTES)
        return err_set_field(err, "view", "a view has at most %d bytes", DESK_VIEW_BYTES);
    return OK;
}

static void put_row(struct buf *out, const DeskQuestion *question, const char *id, Millis now_ms)
{
    json_object(out, NULL);
    json_string(out, "id", str_from(id));
    json_string(out, "name", question->name);
    json_string(out, "kind", question->kind);
    json_raw(out, "question", question->question);
    if (question->view.len) json_raw(out, "view", question->view);
    else json_null(out, "view");
    json_string(out, "saved_by", str_from(question->by));
    json_instant(out, "saved_at", now_ms);
    json_object_end(out);
}

static void make_id(struct desk *desk, Str replaced, char id[DESK_ID_CHARS + 1])
{
    static const char digits[] = "23456789abcdefghjkmnpqrstuvwxyzz";        /* none that is read for another */
    do {
        uint64_t bits = dice_u64(desk->options.dice);
        for (size_t at = 0; at < DESK_ID_CHARS; at++) id[at] = digits[bits >> (5 * at) & 31];
        id[DESK_ID_CHARS] = 0;
    } while (find(desk, str_of(id, DESK_ID_CHARS)));
    if (replaced.len == DESK_ID_CHARS) memcpy(id, replaced.bytes, DESK_ID_CHARS);
}

Status desk_save(struct desk *desk, const DeskQuestion *question, struct buf *out, Err *err)
{
    struct desk_saved made = { 0 };
    size_t begun = out->len;
    Status s = check_question(question, err);
    if (s) return s;
    pthread_mutex_lock(&desk->lock);
    make_id(desk, question->id, made.id);
    put_row(out, question, made.id, clock_now_ms(desk->options.clock));
    if (!buf_ok(out) || !(made.json = copy(str_slice(buf_str(out), begun, out->len))))
        s = err_set(err, ERR_FULL, "saved questions: no memory");
    else if (desk->saved_trouble[0])
        s = err_set(err, ERR_DAMAGED, "nothing can be saved: %s", desk->saved_trouble);
    else
        s = put(desk, question->id, &made, err);
    pthread_mutex_unlock(&desk->lock);
    if (s) free(made.json);
    return s;
}

Status desk_forget_saved(struct desk *desk, Str id, Err *err)
{
    pthread_mutex_lock(&desk->lock);
    const struct desk_saved *row = find(desk, id);
    Status s = row ? OK : err_set(err, ERR_NOT_FOUND, "there is no saved question %.*s", STR_FORMAT(id));
    if (!s) s = write_file(desk, (size_t)(row - desk->saved), NULL, err);
    if (!s) take_out(desk, (size_t)(row - desk->saved));
    pthread_mutex_unlock(&desk->lock);
    return s;
}

Status desk_write_saved(struct desk *desk, Str id, struct buf *out, Err *err)
{
    Status s = OK;
    pthread_mutex_lock(&desk->lock);
    const struct desk_saved *row = id.len ? find(desk, id) : NULL;
    if (row) json_raw(out, NULL, str_from(row->json));
    else if (id.len) s = err_set(err, ERR_NOT_FOUND, "there is no saved question %.*s", STR_FORMAT(id));
    for (size_t at = desk->saved_count; at > 0 && !id.len; at--)
        json_raw(out, NULL, str_from(desk->saved[at - 1].json));
    pthread_mutex_unlock(&desk->lock);
    return s;
}

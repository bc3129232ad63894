/* desk_sources: sources that are made in the dashboard. Each change is made in a copy, which is written and becomes
 * true only once it is on disk; then the collector gets the configuration's and these, as one list. */
#include "desk_private.h"

#include <stdio.h>
#include <stdlib.h>

static const char file_name[] = "sources.json";

/* ---- The file ---- */

static bool copy_text(const TreeNode *row, const char *name, size_t most, char *text)
{
    Str from = event_tree_text(row, name);
    if (from.len > most || memchr(from.bytes ? from.bytes : "", 0, from.len)) return false;
    memcpy(text, from.bytes ? from.bytes : "", from.len);
    text[from.len] = 0;
    return true;
}

static bool is_true(const TreeNode *row, const char *name)
{
    const TreeNode *node = event_tree_get(row, str_from(name));
    return event_tree_is_kind(node, FIELD_BOOL) && node->truth;
}

static bool read_row(const TreeNode *row, struct desk_source *ret)
{
    *ret = (struct desk_source){
        .old_key_until_ms = event_tree_millis(row, "old_key_until"), .made_at_ms = event_tree_millis(row, "made_at"),
        .is_enabled = is_true(row, "enabled"), .is_server = is_true(row, "server"),
    };
    return copy_text(row, "name", DESK_NAME_BYTES, ret->name) && ret->name[0]
        && copy_text(row, "write_key", LIMIT_WRITE_KEY_BYTES, ret->key) && ret->key[0]
        && copy_text(row, "old_key", LIMIT_WRITE_KEY_BYTES, ret->old_key)
        && copy_text(row, "made_by", sizeof ret->made_by - 1, ret->made_by);
}

Status desk_sources_read(struct disk *disk, const char *dir, Arena *arena, struct desk_sources *ret, Err *err)
{
    const TreeNode *list;
    ret->count = 0;
    Status s = desk_read_list(disk, dir, (struct desk_list){ file_name, "sources" }, arena, &list, err);
    if (s || !list) return s;
    if (list->count > DESK_SOURCES)
        s = err_set(err, ERR_DAMAGED, "%s/%s: more than %d sources", dir, file_name, DESK_SOURCES);
    for (const TreeNode *row = list->first; !s && row; row = row->next)
        if (!read_row(row, &ret->rows[ret->count++]))
            s = err_set(err, ERR_DAMAGED, "%s/%s: source %zu is none", dir, file_name, ret->count - 1);
    if (s) ret->count = 0;
    return s;
}

static void put_row(struct buf *out, const struct desk_source *row)
{
    json_object(out, NULL);
    json_string(out, "name", str_from(row->name));
    json_string(out, "write_key", str_from(row->key));
    json_bool(out, "enabled", row->is_enabled);
    json_bool(out, "server", row->is_server);
    json_string(out, "old_key", str_from(row->old_key));
    json_int(out, "old_key_until", row->old_key_until_ms);
    json_string(out, "made_by", str_from(row->made_by));
    json_int(out, "made_at", row->made_at_ms);
    json_object_end(out);
}

static Status write_file(struct desk *desk, const struct desk_sources *sources, Err *err)
{
    struct buf out;
    buf_init(&out, DESK_FILE_BYTES);
    json_object(&out, NULL);
    json_array(&out, "sources");
    for (size_t at = 0; at < sources->count; at++) put_row(&out, &sources->rows[at]);
    json_array_end(&out);
    json_object_end(&out);
    Status s = desk_write_file(desk, file_name, &out, err);
    buf_done(&out);
    return s;
}

/* ---- Telling the collector ---- */

static bool is_taken(const Source *sources, size_t count, const struct desk_source *row)
{
    for (size_t at = 0; at < count; at++)
        if (str_equal(sources[at].name, str_from(row->name)) || str_equal(sources[at].write_key, str_from(row->key)))
            return true;
    return false;
}

static Status tell(struct desk *desk, size_t *ret_left_out, Err *err)
{
    const struct desk_sources *own = &desk->sources;
    size_t count = desk->configured_count;
    Source *all = calloc(count + own->count + 1, sizeof *all);
    if (!all) return err_set(err, ERR_FULL, "sources: no memory");
    if (count) memcpy(all, desk->configured, count * sizeof *all);
    for (size_t at = 0; at < own->count && count < LIMIT_SOURCES; at++) {
        const struct desk_source *row = &own->rows[at];
        if (is_taken(all, count, row)) continue;
        all[count++] = (Source){
            .name = str_from(row->name), .write_key = str_from(row->key), .old_key = str_from(row->old_key),
            .old_key_until_ms = row->old_key_until_ms, .is_enabled = row->is_enabled, .is_server = row->is_server,
            .is_of_page = true,
        };
    }
    if (ret_left_out) *ret_left_out = desk->configured_count + own->count - count;
    Status s = desk->options.collector ? collector_set_sources(desk->options.collector, all, count, err) : OK;
    free(all);
    return s;
}

Status desk_set_sources(struct desk *desk, const Source *sources, size_t count, size_t *ret_left_out, Err *err)
{
    pthread_mutex_lock(&desk->lock);
    const Source *before = desk->configured;
    size_t count_before = desk->configured_count;
    desk->configured = sources;
    desk->configured_count = count;
    Status s = tell(desk, ret_left_out, err);
    if (s) desk->configured = before, desk->configured_count = count_before;
    pthread_mutex_unlock(&desk->lock);
    return s;
}

/* ---- Changes, under the lock ---- */

/* To disk first. Where that fails nothing has changed. */
static Status accept(struct desk *desk, const struct desk_sources *changed, Err *err)
{
    Status s = write_file(desk, changed, err);
    if (s) return s;
    desk->sources = *changed;
    return tell(desk, NULL, err);
}

static Status copy_sources(struct desk *desk, struct desk_sources **ret, Err *err)
{
    if (desk->sources_trouble[0])
        return err_set(err, ERR_DAMAGED, "sources cannot be changed here: %s; mend the file, or take it away, and "
                       "start again", desk->sources_trouble);
    *ret = malloc(sizeof **ret);
    if (!*ret) return err_set(err, ERR_FULL, "sources: no memory");
    **ret = desk->sources;
    return OK;
}

static struct desk_source *find(struct desk_sources *sources, Str name)
{
    for (size_t at = 0; at < sources->count; at++)
        if (str_equal(str_from(sources->rows[at].name), name)) return &sources->rows[at];
    return NULL;
}

static bool is_configured(const struct desk *desk, Str name)
{
    for (size_t at = 0; at < desk->configured_count; at++)
        if (str_equal(desk->configured[at].name, name)) return true;
    return false;
}

static bool is_name(Str name)
{
    for (size_t at = 0; at < name.len; at++) {
        char c = name.bytes[at];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-') return false;
    }
    return name.len > 0 && name.len <= DESK_NAME_BYTES;
}

static void make_key(struct desk *desk, char *key)
{
    memcpy(key, "wk_", 3);
    dice_key(desk->options.dice, key + 3, DESK_KEY_CHARS - 3);
    key[DESK_KEY_CHARS] = 0;
}

static Status add(struct desk *desk, struct desk_sources *sources, const struct desk_source *made, Err *err)
{
    if (find(sources, str_from(made->name)) || is_configured(desk, str_from(made->name)))
        return err_set(err, ERR_CONFLICT, "there is a source %s already", made->name);
    if (sources->count == DESK_SOURCES || sources->count + desk->configured_count >= LIMIT_SOURCES)
        return err_set(err, ERR_TOO_LARGE, "there are as many sources as there may be: %d of the dashboard, %d in all",
                       DESK_SOURCES, LIMIT_SOURCES);
    sources->rows[sources->count++] = *made;
    return accept(desk, sources, err);
}

Status desk_add_source(struct desk *desk, Str name, bool is_server, const char *by, Err *err)
{
    struct desk_source made = { .made_at_ms = clock_now_ms(desk->options.clock), .is_enabled = true,
                                .is_server = is_server };
    struct desk_sources *sources;
    if (!is_name(name))
        return err_set_field(err, "name", "a name is 1 to %d letters, digits, \".\", \"_\" or \"-\"", DESK_NAME_BYTES);
    memcpy(made.name, name.bytes, name.len);
    snprintf(made.made_by, sizeof made.made_by, "%s", by);
    make_key(desk, made.key);
    pthread_mutex_lock(&desk->lock);
    Status s = copy_sources(desk, &sources, err);
    if (!s) {
        s = add(desk, sources, &made, err);
        free(sources);
    }
    pthread_mutex_unlock(&desk->lock);
    return s;
}

static Status change_row(struct desk *desk, struct desk_sources *sources, Str name, DeskChange change, Millis grace_ms,
                         Err *err)
{
    struct desk_source *row = find(sources, name);
    if (is_configured(desk, name))
        return err_set(err, ERR_CONFLICT, "source %.*s stands in the configuration, and is changed there",
                       STR_FORMAT(name));
    if (!row) return err_set(err, ERR_NOT_FOUND, "there is no source %.*s", STR_FORMAT(name));
    if (change != DESK_ROTATE) {
        row->is_enabled = change == DESK_ENABLE;
    } else {
        memcpy(row->old_key, row->key, sizeof row->old_key);
        row->old_key_until_ms = clock_now_ms(desk->options.clock) + grace_ms;
        make_key(desk, row->key);
    }
    return accept(desk, sources, err);
}

Status desk_change_source(struct desk *desk, Str name, DeskChange change, Millis grace_ms, Err *err)
{
    struct desk_sources *sources;
    pthread_mutex_lock(&desk->lock);
    Status s = copy_sources(desk, &sources, err);
    if (!s) {
        s = change_row(desk, sources, name, change, grace_ms, err);
        free(sources);
    }
    pthread_mutex_unlock(&desk->lock);
    return s;
}

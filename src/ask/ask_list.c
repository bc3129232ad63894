/* ask_list: a page of a list of people. */
#include "ask_list.h"

#include <stdlib.h>

Status ask_list_read(struct ask_list *list, const Query *query, Err *err)
{
    const TreeNode *json = event_tree_get(query->root, STR("cursor"));
    PageCursor cursor;
    if (!json || json->kind == FIELD_NULL) return OK;
    if (json->kind != FIELD_STRING || !json->text.len)
        return err_set_field(err, "cursor", "the page before's cursor.next was expected");
    Status s = page_read(PAGE_PERSON, UINT32_MAX, json->text, "cursor", &cursor, err);
    if (s) return s;
    list->has_cursor = true;
    list->cursor_ms = cursor.time_ms, list->cursor_person = (uint32_t)cursor.number;
    return OK;
}

void ask_list_open(struct ask_list *list, uint32_t worker_count, size_t bytes)
{
    list->worker_count = worker_count;
    number_vectors_open(list->vectors, worker_count, bytes);
}

void ask_list_close(struct ask_list *list)
{
    number_vectors_close(list->vectors, list->worker_count);
    list->worker_count = 0;
}

/* The latest entry first. */
static bool is_before(Millis a_ms, uint32_t a, Millis b_ms, uint32_t b) { return a_ms != b_ms ? a_ms > b_ms : a < b; }

static int compare_members(const void *a, const void *b)
{
    const AskMember *left = a, *right = b;
    return is_before(right->entry_ms, right->person, left->entry_ms, left->person)
        - is_before(left->entry_ms, left->person, right->entry_ms, right->person);
}

static Status mark_members(struct ask_list *list, uint32_t people_max, Arena *arena, Err *err)
{
    Status s = OK;
    list->only_people = answer_take(arena, sizeof(uint64_t), people_max / 64 + (size_t)1, &s, err);
    for (uint32_t at = 0; !s && at < list->member_count; at++) {
        uint32_t person = list->members[at].person;
        list->only_people[person / 64] |= UINT64_C(1) << person % 64;
    }
    return s;
}

/* Keeps the first of those after the cursor: gathers twice as many as the page has, sorts, drops the later half. */
Status ask_list_cut(struct ask_list *list, uint32_t people_max, Arena *arena, Err *err)
{
    Status s = OK;
    uint32_t room = (list->limit + 1) * 2;
    AskMember *members = answer_take(arena, sizeof *members, room, &s, err);
    for (uint32_t worker = 0; !s && worker < list->worker_count; worker++) {
        const struct number_vector *vector = &list->vectors[worker];
        if (vector->is_full)
            return err_set(err, ERR_TOO_LARGE, "too many people for the memory that a question may use; narrow it");
        list->total += vector->count / 2;
        for (size_t at = 0; at < vector->count; at += 2) {
            Millis entry_ms = (Millis)vector->items[at];
            uint32_t person = (uint32_t)vector->items[at + 1];
            if (list->has_cursor && !is_before(list->cursor_ms, list->cursor_person, entry_ms, person)) continue;
            members[list->member_count++] = (AskMember){ .entry_ms = entry_ms, .person = person };
            if (list->member_count < room) continue;
            qsort(members, room, sizeof *members, compare_members);
            list->member_count = list->limit + 1;
        }
    }
    if (s) return s;
    qsort(members, list->member_count, sizeof *members, compare_members);
    list->has_more = list->member_count > list->limit;
    if (list->has_more) list->member_count = list->limit;
    list->members = members;
    return mark_members(list, people_max, arena, err);
}

uint32_t ask_list_find(const struct ask_list *list, uint32_t person)
{
    uint32_t at = 0;
    while (at < list->member_count && list->members[at].person != person) at++;
    return at;
}

void ask_list_write_person(const Query *query, struct scan *scan, uint32_t person, struct buf *answer)
{
    const QueryWorld *world = query->world;
    json_name(answer, STR("person"));
    if (query->is_of_groups) {
        json_object(answer, NULL);
        json_string(answer, "group_id", scan_account(scan, person));
        json_object_end(answer);
    } else if (world->write_person) world->write_person(world->context, person, answer);
    else json_uint(answer, NULL, person);
}

Status ask_list_write_row(const Query *query, struct scan *scan, AskRow row, struct buf *answer, Err *err)
{
    const QueryWorld *world = query->world;
    Arena scratch = *query->arena;
    JournalPos pos = 0;
    Str json = { 0 };
    Err unread = { 0 };
    Status s = row.ref ? scan_position(scan, row.ref, scratch, &pos, err) : OK;
    if (s) return s;
    answer_instant(answer, "time", row.time_ms);
    if (row.ref) json_uint(answer, "position", pos);
    else json_null(answer, "position");
    if (!row.tells_message) return OK;
    bool is_read = row.ref && world->read_event
        && world->read_event(world->context, pos, &scratch, &json, &unread) == OK;
    json_raw(answer, "message", is_read ? json : STR("null"));
    return OK;
}

void ask_list_write_cursor(const struct ask_list *list, struct buf *answer)
{
    const AskMember *last = list->member_count ? &list->members[list->member_count - 1] : NULL;
    char room[PAGE_CURSOR_BYTES];
    Str next = { 0 };
    if (list->has_more && last)
        next = page_write(PAGE_PERSON, (PageCursor){ .number = last->person, .time_ms = last->entry_ms }, room);
    json_object(answer, "cursor");
    json_string_or_null(answer, "next", next);
    json_bool(answer, "has_more", list->has_more);
    json_object_end(answer);
}

#include "history.h"

#include "world.h"

#include <stdio.h>
#include <stdlib.h>

Event history_event(const struct world *world, int sent)
{
    const Sent *of = &world->sent[sent];
    return (Event){
        .type = of->type, .source = str_from(visitors_sources[of->source]), .message_id = str_from(of->message_id),
        .user_id = str_from(of->user_id), .anonymous_id = str_from(of->anonymous_id),
        .previous_id = str_from(of->previous_id), .timestamp_ms = of->time_ms,
    };
}

static bool has_external(const struct world *world, const Sent *of, const char *spelt)
{
    for (int at = 0; at < EXTERNALS && world->has_externals; at++) {
        size_t name = strlen(visitors_externals[at]);
        if (!of->externals[at][0] || strncmp(spelt, visitors_externals[at], name) || spelt[name] != ':') continue;
        if (!strcmp(spelt + name + 1, of->externals[at])) return true;
    }
    return false;
}

static int find_suppressed(const struct world *world, int sent, bool is_ever)
{
    const Sent *of = &world->sent[sent];
    for (size_t at = 0; at < world->history.suppressed_count; at++) {
        const char *value = world->history.suppressed[at].value;
        bool is_user = world->history.suppressed[at].kind == COMMAND_USER_ID;
        if (world->history.suppressed[at].has_ended && !is_ever) continue;
        if (world->history.suppressed[at].kind == COMMAND_EXTERNAL_ID) {
            if (has_external(world, of, value)) return (int)at;
            continue;
        }
        if (!strcmp(is_user ? of->user_id : of->anonymous_id, value)) return (int)at;
        if (of->type == EVENT_ALIAS && !strcmp(of->previous_id, value)) return (int)at;
    }
    return -1;
}

int history_find_suppressed(const struct world *world, int sent) { return find_suppressed(world, sent, false); }

bool history_was_suppressed(const struct world *world, int sent) { return find_suppressed(world, sent, true) >= 0; }

static Entry *add_entry(struct history *history, JournalPos pos, int sent)
{
    if (history->count == history->capacity) {
        history->capacity = history->capacity ? 2 * history->capacity : 1024;
        history->entries = realloc(history->entries, history->capacity * sizeof *history->entries);
        check(history->entries);
    }
    Entry *entry = &history->entries[history->count++];
    *entry = (Entry){ .pos = pos, .sent = sent, .about = -1 };
    return entry;
}

/* ---- Messages ---- */

/* A message counts at its first record, for who has seen none of it. */
static void count_entry(struct world *world, const Entry *entry)
{
    Sent *sent = &world->sent[entry->sent];
    if (entry->is_late || sent->is_remembered) return;
    sent->is_known = sent->is_remembered = true;
    if (entry->erased_by) return;
    sent->has_moved |= sent->pos && sent->pos != entry->pos;
    sent->is_counted = true;
    sent->time_ms = entry->time_ms;
    sent->pos = entry->pos;
}

void history_remake(struct world *world)
{
    JournalPos first = journal_first(world->journal);
    for (size_t at = 0; at < world->visitors.sent_count; at++) {
        Sent *sent = &world->sent[at];
        sent->is_counted = sent->is_removed = false;
        sent->is_remembered = sent->was_erased;
    }
    for (size_t at = 0; at < world->history.count; at++) {
        const Entry *entry = &world->history.entries[at];
        if (entry->pos < first) continue;
        if (entry->sent != HISTORY_COMMAND) count_entry(world, entry);
        else if (entry->about >= 0) world->sent[entry->about].is_removed = entry->kind == COMMAND_UNMERGE;
    }
}

static void note_event(struct world *world, const JournalRecord *record)
{
    Event event;
    Err err;
    if (event_decode(record->bytes, &event, &err)) world_fail(world, "decode: %s", err.text);
    int index = visitors_find_sent(&world->visitors, event.message_id);
    if (index < 0) world_fail(world, "\"%.*s\" was sent by nobody", STR_FORMAT(event.message_id));
    Sent *sent = &world->sent[index];
    if (!sent->is_submitted) world_fail(world, "%s is there and was never submitted", sent->message_id);
    checks_event(world, sent, &event);
    Entry *entry = add_entry(&world->history, record->pos, index);
    entry->came_ns = world->clock.monotonic_ns;
    entry->time_ms = event.timestamp_ms;
    if (sent->is_known && sent->time_ms != event.timestamp_ms && !world->retention.jumps)
        world_fail(world, "%s came again, at another time", sent->message_id);
    entry->is_late = history_find_suppressed(world, index) >= 0;
    world_trace(world, "%s of %s %s lies at %llu%s, from %lld", sent->message_id, sent->user_id, sent->anonymous_id,
                (unsigned long long)record->pos, entry->is_late ? ", suppressed" : "", (long long)event.timestamp_ms);
    count_entry(world, entry);
}

/* ---- Commands ---- */

static void change_suppressed(struct world *world, const CommandId *id, bool is_suppressed, JournalPos pos)
{
    struct history *history = &world->history;
    size_t at = 0;
    while (at < history->suppressed_count && !(history->suppressed[at].kind == id->kind &&
           str_equal(str_from(history->suppressed[at].value), id->value))) at++;
    if (at == history->suppressed_count) {
        if (!is_suppressed) return;
        check(history->suppressed_count++ < SUPPRESSED_MAX);
        history->suppressed[at].kind = id->kind;
        history->suppressed[at].has_ended = true;
        snprintf(history->suppressed[at].value, sizeof history->suppressed[at].value, "%.*s", STR_FORMAT(id->value));
    }
    if (is_suppressed && history->suppressed[at].has_ended) history->suppressed[at].pos = pos;
    history->suppressed[at].has_ended = !is_suppressed;
}

/* What is said again must not undo an order. */
static void check_again(struct world *world, const CommandId *id)
{
    const struct history *history = &world->history;
    for (size_t at = 0; at < history->suppressed_count; at++)
        if (history->suppressed[at].kind == id->kind && !history->suppressed[at].has_ended
            && str_equal(str_from(history->suppressed[at].value), id->value)) return;
    world_fail(world, "%.*s is suppressed by nobody's order", STR_FORMAT(id->value));
}

/* Their clients do not try again: whether an erased message that comes again is new depends on what dedup remembers. */
static void erase(struct world *world, const JournalCommand *command, JournalPos pos)
{
    for (size_t at = 0; at < world->history.count; at++) {
        Entry *entry = &world->history.entries[at];
        if (entry->sent == HISTORY_COMMAND) continue;
        Event event = history_event(world, entry->sent);
        if (!command_names_event(command, &event)) continue;
        if (!entry->erased_by) entry->erased_by = pos;
        world->sent[entry->sent].was_erased = true;
        world->sent[entry->sent].is_counted = false;
    }
    visitors_forget_erased(&world->visitors);
}

static void note_command(struct world *world, const JournalRecord *record)
{
    Arena arena = region_arena(&world->scratch);
    JournalCommand command;
    Err err;
    if (command_decode(record->bytes, &arena, &command, &err)) world_fail(world, "command: %s", err.text);
    Entry *entry = add_entry(&world->history, record->pos, HISTORY_COMMAND);
    entry->kind = command.kind;
    entry->came_ns = world->clock.monotonic_ns;
    world_tell(world, "an order of kind %d is in the journal", (int)command.kind);
    entry->is_again = str_equal(command.author, STR("onym: retention"));
    for (size_t at = 0; entry->is_again && at < command.id_count; at++) check_again(world, &command.ids[at]);
    if (command.kind == COMMAND_SUPPRESS || command.kind == COMMAND_UNSUPPRESS)
        for (size_t at = 0; at < command.id_count; at++)
            change_suppressed(world, &command.ids[at], command.kind == COMMAND_SUPPRESS, record->pos);
    if (command.kind == COMMAND_ERASE) {
        entry->erased_by = record->pos;                 /* it names them */
        erase(world, &command, record->pos);
    }
    if (command.kind == COMMAND_UNMERGE || command.kind == COMMAND_RESTORE) {
        int sent = visitors_find_sent(&world->visitors, command.message_id);
        check(sent >= 0);
        entry->about = sent;
        world->sent[sent].is_removed = command.kind == COMMAND_UNMERGE;
    }
}

void history_follow(struct world *world)
{
    struct journal_reader *reader;
    JournalRecord record;
    Status s;
    Err err;
    unsigned faults = world->disk.fault_per_million;
    world->disk.fault_per_million = 0;
    JournalPos from = journal_first(world->journal);      /* where all is gone, after the head of the next segment */
    if (from < world->history.next) from = world->history.next;
    s = journal_reader_open(world->journal, from, &reader, &err);
    if (s) world_fail(world, "the journal does not go on where it ended: %s", err.text);
    while (!(s = journal_read(reader, &record, &err))) {
        if (record.pos < world->history.next) world_fail(world, "positions went back");
        world->history.next = record.next;
        if (record_kind(record.bytes) == RECORD_EVENT) note_event(world, &record);
        else if (record_kind(record.bytes) == RECORD_COMMAND) note_command(world, &record);
        else world_fail(world, "a record at %llu is neither event nor command", (unsigned long long)record.pos);
    }
    if (s != ERR_NOT_FOUND) world_fail(world, "reading the journal: %s", err.text);
    journal_reader_close(reader);
    world->disk.fault_per_million = faults;
}

void history_done(struct history *history) { free(history->entries); }

/* derive_missing: parts of the journal that cannot be read are passed over, reported, and counted; everything else is
 * applied. What was applied before it became unreadable stays applied, and is not counted: no answer lacks it. The
 * counts are saved with the state, so that they say what the state lacks; a rebuild counts anew. */
#include "derive_private.h"

static void add(_Atomic uint64_t *counter, uint64_t count)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + count, memory_order_relaxed);
}

void derive_tell_passed(const struct applier *applier, const char *why, uint64_t bytes)
{
    if (applier->options.passed) applier->options.passed(applier->options.passed_context, why, bytes);
}

static Status pass(struct applier *applier, const Err *why, Err *err)
{
    uint64_t bytes = 0;
    Status s = journal_skip_damage(applier->reader, &bytes, err);
    if (s) return s;
    derive_tell_passed(applier, why->text, bytes);
    applier->counts_missing = applier->read_until >= applier->saved;
    applier->read_until = journal_reader_position(applier->reader);
    if (!applier->counts_missing) return OK;
    add(&applier->missing_places, 1);
    add(&applier->missing_bytes, bytes);
    return OK;
}

Status derive_read(struct applier *applier, JournalRecord *ret, Err *err)
{
    Err why;
    Status s;
    while ((s = journal_read(applier->reader, ret, &why)) == ERR_DAMAGED && !applier->options.stops_at_damage) {
        s = pass(applier, &why, err);
        if (s) return s;
    }
    uint64_t missed = journal_reader_missed(applier->reader);
    if (missed > applier->missed && applier->counts_missing) add(&applier->missing_messages, missed - applier->missed);
    applier->missed = missed;
    if (!s) applier->read_until = ret->next;
    if (s && err) *err = why;
    if (s == ERR_DAMAGED)
        return err_wrap(err, s, "counting waits at a place that cannot be read (journal.on_damage: stop). Way out: "
                        "bring its segment back from a backup, or journal.on_damage: skip");
    return s;
}

/* ---- One record ---- */

/* Says what is wrong with a record whose checksum is right: memory or our code was at fault when it was written, or a
 * newer Onym wrote it. If it is an event, waiting then has what it says. */
void derive_judge_record(struct applier *applier, Str record, struct waiting_record *waiting, Arena *arena)
{
    JournalCommand command;
    Arena scratch = region_arena(&applier->traits_region);
    Err why;
    switch (record_kind(record)) {
    case RECORD_EVENT: waiting->unreadable = event_decode(record, &waiting->event, &why); break;
    case RECORD_COMMAND: waiting->unreadable = command_decode(record, &scratch, &command, &why); break;
    case RECORD_REJECTED: case RECORD_ERASED: break;
    default:
        if (!waiting->is_rejected)
            waiting->unreadable = err_set(&why, ERR_UNSUPPORTED, "no kind of record that we know");
        break;
    }
    if (waiting->unreadable) waiting->unreadable_why = arena_copy(arena, str_from(why.text));
}

Status derive_pass_record(struct applier *applier, const struct waiting_record *waiting, Err *err)
{
    const DeriveOptions *options = &applier->options;
    bool is_newer = waiting->unreadable == ERR_UNSUPPORTED;
    Err why;
    err_set(&why, waiting->unreadable, "the record at %llu is whole, and cannot be read: %.*s%s",
            (unsigned long long)waiting->pos, STR_FORMAT(waiting->unreadable_why),
            waiting->command.len ? " (a suppression, an erasure or an unmerge; ask for it again)" : "");
    if (is_newer ? !options->passes_newer : options->stops_at_damage)
        return err_set(err, waiting->unreadable, "%s. %s", why.text,
                       is_newer ? "Counting waits there. Way out: install the newer Onym that wrote it; or, to go on "
                                  "without it, journal.on_newer: skip, until onym rebuild"
                                : "Counting waits there (journal.on_damage: stop). Way out: bring its segment back "
                                  "from a backup, or journal.on_damage: skip");
    derive_tell_passed(applier, why.text, journal_distance(waiting->pos, waiting->next));
    if (waiting->pos < applier->saved) return OK;
    add(&applier->missing_places, 1);
    add(&applier->missing_bytes, journal_distance(waiting->pos, waiting->next));
    if (waiting->is_event) add(&applier->missing_messages, 1);
    return OK;
}

/* ---- Saving ---- */

struct missing { uint64_t places, bytes, messages; };

Status derive_save_missing(const struct applier *applier, struct kv_txn *txn, Err *err)
{
    struct missing missing = { atomic_load(&applier->missing_places), atomic_load(&applier->missing_bytes),
                               atomic_load(&applier->missing_messages) };
    if (!missing.places) return OK;
    return kv_put(txn, TABLE_META, STR("m"), str_of(&missing, sizeof missing), err);
}

Status derive_load_missing(struct applier *applier, struct kv_txn *txn, Err *err)
{
    struct missing missing = { 0 };
    Str value;
    Status s = kv_get(txn, TABLE_META, STR("m"), &value, err);
    if (!s && value.len == sizeof missing) memcpy(&missing, value.bytes, sizeof missing);
    atomic_store(&applier->missing_places, missing.places);
    atomic_store(&applier->missing_bytes, missing.bytes);
    atomic_store(&applier->missing_messages, missing.messages);
    return s == ERR_NOT_FOUND ? OK : s;
}

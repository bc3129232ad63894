/* control_again: writes each suppression into the journal anew ("says it again") before retention takes its old record.
 *
 * A suppression lasts until somebody ends it; its record lasts until retention takes it. Derived state that is made
 * anew knows only what the journal still has. So, before a segment with such a record may go, all ids that are
 * suppressed are written again, as commands at the journal's end, one record in each step:
 *   said                  each id that is suppressed has a record at or after this position
 *   control_needed        retention leaves what is at or after this position
 * A round writes all of these ids. It notes how far the journal was applied when it began: an id that is suppressed
 * later has a record of its own after that place. The round ends, and `said` moves to the place where it began, when
 * two things are true: its last record is applied, and every late message of a suppressed id is erased. Otherwise a
 * start that reads only the later journal would take such a message for an allowed one.
 *
 * A round must not undo an order. So it writes nothing while an order is on its way: from the moment when the order is
 * given to the journal (control_order) until it is applied. So what a round writes is true at its place in the journal,
 * and whatever is ordered later comes after it.
 *
 * After a crash a round begins anew: writing the same twice does no harm. The row 'a' of the table keeps `said`, and
 * where the round ended. */
#include "control_private.h"

#include <stdlib.h>

enum { IDS_MOST = 2048, REST_NS = 1000000000 };
static const int64_t ROUND_NS = 10 * (int64_t)REST_NS;  /* rest between rounds: the journal may be shorter than one */

/* ---- Orders on their way ---- */

struct control_orders {
    struct journal *journal;
    pthread_mutex_t lock;
    unsigned holders;                       /* the control, and each order */
    unsigned open;                          /* handed to the journal, and not durable yet */
    JournalPos until;                       /* all orders that are durable are before it */
};

struct control_orders *control_open_orders(struct journal *journal)
{
    struct control_orders *orders = calloc(1, sizeof *orders);
    check(orders && pthread_mutex_init(&orders->lock, NULL) == 0);
    orders->journal = journal;
    orders->holders = 1;
    orders->until = journal_end(journal);                    /* there may be orders from before the start */
    return orders;
}

static void give_orders(struct control_orders *orders)       /* under the lock; unlocks it */
{
    bool is_last = --orders->holders == 0;
    pthread_mutex_unlock(&orders->lock);
    if (!is_last) return;
    pthread_mutex_destroy(&orders->lock);
    free(orders);
}

void control_close_orders(struct control_orders *orders)
{
    pthread_mutex_lock(&orders->lock);
    give_orders(orders);
}

Status control_order(struct control *control, struct journal_append *append, struct control_orders **ret, Err *err)
{
    struct control_orders *orders = *ret = control->orders;
    pthread_mutex_lock(&orders->lock);                       /* the journal gets orders in this order */
    Status s = journal_submit(orders->journal, append, err);
    if (!s) orders->open++, orders->holders++;
    pthread_mutex_unlock(&orders->lock);
    return s;
}

void control_order_over(struct control_orders *orders, Status status)
{
    pthread_mutex_lock(&orders->lock);
    orders->open--;
    if (!status) orders->until = journal_end(orders->journal);
    give_orders(orders);
}

/* ---- A record ---- */

/* The applier and the committer both have a pointer to it; whoever is done last frees it. */
struct again_part {
    struct journal_append append;
    struct journal *journal;
    JournalPos end;                         /* set when it is written */
    _Atomic int state;
};
enum { PART_WAITS, PART_WRITTEN, PART_FAILED, PART_LEFT };

static void part_free(struct again_part *part)
{
    journal_append_done(&part->append);
    free(part);
}

static void on_durable(struct journal_append *append, Status status, JournalPos first)
{
    struct again_part *part = append->owner;
    (void)first;
    if (!status) part->end = journal_end(part->journal);
    if (atomic_exchange(&part->state, status ? PART_FAILED : PART_WRITTEN) == PART_LEFT) part_free(part);
}

void control_leave_again(struct control *control)
{
    struct again_part *part = control->again.part;
    if (part && atomic_exchange(&part->state, PART_LEFT) != PART_WAITS) part_free(part);
    control->again = (struct again){ .rests_until_ns = control->again.rests_until_ns };
}

/* *ret_to: the place of the first id that did not go into the record. */
static struct again_part *make_part(const struct control *control, size_t from, size_t *ret_to)
{
    static const char author[] = "onym: retention";
    struct again_part *part = calloc(1, sizeof *part);
    CommandId *ids = calloc(IDS_MOST, sizeof *ids);
    size_t to = from, bytes = 0;
    check(part && ids);
    for (; to < control->suppressed_count && to - from < IDS_MOST; to++) {
        Str id = control->suppressed[to].id;
        CommandId *at = &ids[to - from];
        *at = (CommandId){ (CommandIdKind)id.bytes[0], str_slice(id, 1, id.len), INT64_MIN, INT64_MAX, false };
        bytes += command_id_bytes(at);
        if (bytes > COMMAND_IDS_BYTES) break;
    }
    JournalCommand command = { .kind = COMMAND_SUPPRESS, .at_ms = clock_now_ms(control->options.clock),
                               .author = str_from(author), .ids = ids, .id_count = to - from };
    journal_append_init(&part->append, LIMIT_APPEND_BYTES);
    part->append.on_durable = on_durable;
    part->append.owner = part;
    part->journal = control->options.journal;
    size_t begun = journal_begin_record(&part->append);
    command_encode(&part->append.frames, &command);
    journal_end_record(&part->append, begun);
    free(ids);
    *ret_to = to;
    return part;
}

/* ---- A round ---- */

static void rest(struct control *control, int64_t ns)
{
    control->again.rests_until_ns = clock_monotonic_ns(control->options.clock) + ns;
}

/* Writes a record with the ids from the next key on, as many as it can hold. */
static void say_part(struct control *control, JournalPos applied)
{
    struct again *again = &control->again;
    struct control_orders *orders = control->orders;
    size_t to, from = again->has_next ? control_find_suppressed(control, again->next) : 0;
    if (from == control->suppressed_count) {                 /* the ids that were left are allowed again */
        again->is_all_said = true;
        return;
    }
    pthread_mutex_lock(&orders->lock);
    bool is_quiet = !orders->open && orders->until <= applied;
    struct again_part *part = is_quiet ? make_part(control, from, &to) : NULL;
    if (part && journal_submit(control->options.journal, &part->append, NULL)) {
        part_free(part);                                     /* the journal is full or closing: try later */
        part = NULL;
        rest(control, REST_NS);
    }
    pthread_mutex_unlock(&orders->lock);
    if (!part) return;
    again->part = part;
    again->is_last = to == control->suppressed_count;
    if (!again->is_last) again->part_next = control->suppressed[to].key;
    if (control->options.wake_committer) control->options.wake_committer(control->options.wake_context);
}

static void end_part(struct control *control)
{
    struct again *again = &control->again;
    struct again_part *part = again->part;
    int state = atomic_load(&part->state);
    if (state == PART_WAITS) return;
    if (state == PART_WRITTEN) {
        again->end = part->end;
        again->is_all_said = again->is_last;
        again->next = again->part_next;
        again->has_next = true;
    } else {
        rest(control, REST_NS);
    }
    again->part = NULL;
    part_free(part);
}

static bool has_late(struct control *control)
{
    pthread_mutex_lock(&control->lock);
    bool has = control->late_count > 0;
    pthread_mutex_unlock(&control->lock);
    return has;
}

void control_note_said(struct control *control, JournalPos said, JournalPos end)
{
    uint64_t numbers[2] = { journal_number(said), journal_number(end) };
    Str row = str_of(numbers, sizeof numbers);
    control->said = said;
    control->said_end = end;
    control_note_change(control, STR("a"), &row);
}

Status control_load_said(struct control *control, struct kv_txn *txn, Err *err)
{
    uint64_t numbers[2];
    Str row;
    Status s = kv_get(txn, control->options.table, STR("a"), &row, err);
    control->said = control->said_end = JOURNAL_OLDEST;      /* an older Onym had no such row: write all again */
    if (s || row.len != sizeof numbers) return s == ERR_NOT_FOUND ? OK : s;
    memcpy(numbers, row.bytes, sizeof numbers);
    control->said = journal_position(numbers[0]);
    control->said_end = journal_position(numbers[1]);
    return OK;
}

/* Is it time for a round? Yes if retention waits for one. Yes also if retention has begun to take records, and the last
 * round's are in the older half of what is left: soon retention will wait, and if the disk is full by then, no record
 * could be written. */
static bool is_time(const struct control *control, JournalPos due, JournalPos applied)
{
    JournalPos first = journal_first(control->options.journal);
    if (due > control->said) return true;
    return first > JOURNAL_OLDEST && applied > control->said_end
        && journal_distance(first, control->said) < journal_distance(control->said_end, applied);
}

void control_say_again(struct control *control, JournalPos due, JournalPos applied)
{
    struct again *again = &control->again;
    if (!control->options.may_append) return;
    if (again->part) end_part(control);
    if (again->part || (again->rests_until_ns && clock_monotonic_ns(control->options.clock) < again->rests_until_ns))
        return;
    if (!again->is_round) {
        if (!control->suppressed_count || !is_time(control, due, applied)) return;
        again->is_round = true;
        again->from = again->end = applied;
    }
    if (!again->is_all_said) {
        say_part(control, applied);
    } else if (again->end <= applied && !has_late(control)) {
        control_note_said(control, again->from, again->end);
        control_leave_again(control);
        rest(control, ROUND_NS);
    }
}

JournalPos control_needed(const struct control *control)
{
    return control->suppressed_count ? control->said : JOURNAL_NEVER;
}

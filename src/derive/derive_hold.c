/* derive_hold: how much of the journal has to stay for a start after a crash, and making way for retention.
 *
 * What is in force and lives only as a command in the journal, such as a suppression, has to stay, too, until it is
 * said again after that place (control_again.c).
 *
 * A start reads again what no store had on disk: from the least position that keyed state, the index and dedup have
 * reached. They write when they are full, which takes months where little comes. So when the journal says that a
 * segment is due to be retired and only this holds it, they write what they have, and let go of it: the applier saves
 * and has dedup write; the maintenance thread seals the index. */
#include "derive_private.h"

static JournalPos least(JournalPos a, JournalPos b) { return a < b ? a : b; }

void derive_hold(struct applier *applier)
{
    JournalPos applied = atomic_load_explicit(&applier->applied, memory_order_relaxed);     /* a start reads again */
    JournalPos hold = least(least(applied, applier->saved),
                            least(index_needed(applier->index), dedup_needed(applier->dedup)));
    hold = least(hold, control_needed(applier->control));
    if (applier->is_holding && hold == applier->held) return;
    applier->held = hold;
    applier->is_holding = true;
    journal_set_hold(applier->options.journal, "applier", hold);
}

Status derive_make_way(struct applier *applier, Err *err)
{
    JournalPos due = journal_due(applier->options.journal);
    control_say_again(applier->control, due, atomic_load_explicit(&applier->applied, memory_order_relaxed));
    derive_hold(applier);
    if (due <= applier->held || due > atomic_load_explicit(&applier->applied, memory_order_relaxed)) return OK;
    if (dedup_needed(applier->dedup) < due)                  /* its run counts once the others are past its end */
        due = dedup_make_way(applier->dedup);
    atomic_store(&applier->way_to, due);
    return applier->saved < due ? derive_save(applier, err) : OK;
}

Status derive_seal_way(struct applier *applier, Err *err)
{
    return index_needed(applier->index) < atomic_load(&applier->way_to) ? index_seal(applier->index, err) : OK;
}

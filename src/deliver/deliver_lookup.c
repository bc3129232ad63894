/* deliver_lookup: asks identity several questions in a row, under one guard.
 *
 * A look-up waits until the applier lets it in, some milliseconds each time when the applier is busy, and the applier
 * stands still meanwhile. So the look-ups of one step share a guard: the first one takes it, and after some dozens the
 * deliverer lets the applier in. Under the guard the deliverer waits for nothing: no network, no commit.
 */
#include "deliver_runner.h"

enum { ASKED_TOGETHER = 64 };

void lookup_enter(struct deliver *deliver)
{
    const struct deliver_people *people = &deliver->options.people;
    if (deliver->asked_count == ASKED_TOGETHER) lookup_leave(deliver);
    if (deliver->asked_count++ == 0 && people->begin) people->begin(people->context);
}

void lookup_leave(struct deliver *deliver)
{
    const struct deliver_people *people = &deliver->options.people;
    if (deliver->asked_count > 0 && people->end) people->end(people->context);
    deliver->asked_count = 0;
}

Status lookup_person(struct deliver *deliver, const Event *event, Arena *arena, MessagePerson *ret, Err *err)
{
    const struct deliver_people *people = &deliver->options.people;
    *ret = (MessagePerson){ 0 };
    if (!people->find) return OK;
    lookup_enter(deliver);
    return people->find(people->context, event, arena, ret, err);
}

Status lookup_links(struct deliver *deliver, Str user_id, Arena *arena, const PersonLink **ret,
                         size_t *ret_count, Err *err)
{
    const struct deliver_people *people = &deliver->options.people;
    lookup_enter(deliver);
    return people->list_links(people->context, user_id, arena, ret, ret_count, err);
}

bool lookup_is_duplicate(struct deliver *deliver, JournalPos pos)
{
    const struct deliver_people *people = &deliver->options.people;
    if (!people->is_duplicate) return false;
    lookup_enter(deliver);
    return people->is_duplicate(people->context, pos);
}

bool lookup_is_suppressed(struct deliver *deliver, const Event *event)
{
    const struct deliver_people *people = &deliver->options.people;
    return people->is_suppressed
        && people->is_suppressed(people->context, deliver->parser, event, region_arena(&deliver->lookup_region));
}

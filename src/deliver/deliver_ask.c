/* deliver_ask: identity is asked in groups.
 *
 * Whoever asks identity keeps the applier from going on, and waits for it before: some milliseconds each time
 * where it is busy. So the asks of a step share one guard, taken at the first of them; after some dozens the
 * applier is let in. Nothing is waited for meanwhile: no network, no commit.
 */
#include "deliver_runner.h"

enum { ASKED_TOGETHER = 64 };

void ask_enter(struct deliver *deliver)
{
    const struct deliver_people *people = &deliver->options.people;
    if (deliver->asked_count == ASKED_TOGETHER) ask_leave(deliver);
    if (deliver->asked_count++ == 0 && people->begin) people->begin(people->context);
}

void ask_leave(struct deliver *deliver)
{
    const struct deliver_people *people = &deliver->options.people;
    if (deliver->asked_count > 0 && people->end) people->end(people->context);
    deliver->asked_count = 0;
}

Status ask_person(struct deliver *deliver, const Event *event, Arena *arena, MessagePerson *ret, Err *err)
{
    const struct deliver_people *people = &deliver->options.people;
    *ret = (MessagePerson){ 0 };
    if (!people->find) return OK;
    ask_enter(deliver);
    return people->find(people->context, event, arena, ret, err);
}

Status ask_links(struct deliver *deliver, Str user_id, Arena *arena, const PersonLink **ret,
                         size_t *ret_count, Err *err)
{
    const struct deliver_people *people = &deliver->options.people;
    ask_enter(deliver);
    return people->list_links(people->context, user_id, arena, ret, ret_count, err);
}

bool ask_is_duplicate(struct deliver *deliver, JournalPos pos)
{
    const struct deliver_people *people = &deliver->options.people;
    if (!people->is_duplicate) return false;
    ask_enter(deliver);
    return people->is_duplicate(people->context, pos);
}

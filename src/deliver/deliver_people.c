/* deliver_people: the functions of struct deliver_people. They ask the applier, by people/ and control/, who is who,
 * and who is erased or suppressed. */
#include "deliver_runner.h"

#include "derive/derive.h"

static void begin_asking(void *context) { derive_begin_reading(context); }

static void end_asking(void *context) { derive_end_reading(context); }

static JournalPos asked_position(void *context)
{
    DeriveStats stats;
    derive_read_stats(context, &stats);
    return stats.applied;
}

static bool asked_is_blocked(void *context, Str id)
{
    People people = derive_people(context);
    return people_is_blocked(&people, id);
}

static bool asked_is_duplicate(void *context, JournalPos pos)
{
    return derive_is_duplicate(context, pos);
}

static Status asked_find(void *context, const Event *event, Arena *arena, MessagePerson *ret, Err *err)
{
    People people = derive_people(context);
    return people_find_message_person(&people, event, arena, ret, err);
}

static Status asked_list_links(void *context, Str user_id, Arena *arena, const PersonLink **ret, size_t *ret_count,
                               Err *err)
{
    People people = derive_people(context);
    return people_list_links(&people, user_id, arena, ret, ret_count, err);
}

static bool asked_is_suppressed(void *context, struct event_parser *parser, const Event *event, Arena scratch)
{
    return control_suppresses_message(derive_control(context), parser, event, scratch);
}

static Status list_forgets(void *context, Arena *arena, DeliverForget **ret, size_t *ret_count, Err *err)
{
    ControlForget *forgets;
    Status s = control_list_forgets(derive_control(context), arena, &forgets, ret_count, err);
    if (s || !*ret_count) return s;
    *ret = arena_new(arena, DeliverForget, *ret_count);
    for (size_t at = 0; at < *ret_count; at++)
        (*ret)[at] = (DeliverForget){ forgets[at].before, forgets[at].what, forgets[at].number };
    return OK;
}

static void end_forget(void *context, const DeliverForget *forget)
{
    ControlForget ended = { forget->before, forget->what, forget->number };
    control_end_forget(derive_control(context), &ended);
}

struct deliver_people deliver_people_of(struct applier *applier)
{
    return (struct deliver_people){ applier, begin_asking, end_asking, asked_position, asked_find, asked_list_links,
                                    asked_is_blocked, asked_is_duplicate, asked_is_suppressed, list_forgets,
                                    end_forget };
}

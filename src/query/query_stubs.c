#include "query_answer.h"
Status answer_funnel_people(Str question, const QueryWorld *world, Arena *arena, struct buf *answer, Err *err)
{
    (void)question, (void)world, (void)arena, (void)answer;
    return err_set(err, ERR_UNSUPPORTED, "not yet");
}

Status answer_paths(Str question, const QueryWorld *world, Arena *arena, struct buf *answer, Err *err)
{
    (void)question, (void)world, (void)arena, (void)answer;
    return err_set(err, ERR_UNSUPPORTED, "not yet");
}

Status answer_signups(Str question, const QueryWorld *world, Arena *arena, struct buf *answer, Err *err)
{
    (void)question, (void)world, (void)arena, (void)answer;
    return err_set(err, ERR_UNSUPPORTED, "not yet");
}


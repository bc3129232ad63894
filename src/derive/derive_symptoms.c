/* derive_symptoms: the station that counts what each message shows by itself, and the readers' way to it. The saved
 * counts say up to which position they go: a replay counts nothing twice. */
#include "derive_private.h"

#include <stdlib.h>

Status derive_count_symptoms(struct applier *applier, const struct waiting_record *waiting, IdentityNode subject,
                             Err *err)
{
    if (waiting->pos < applier->saved) return OK;
    return symptoms_add(applier->symptoms, &waiting->event, journal_number(waiting->pos), subject, err);
}

Status derive_count_repeat(struct applier *applier, const struct waiting_record *waiting, Err *err)
{
    if (waiting->pos < applier->saved) return OK;
    return symptoms_add_repeat(applier->symptoms, &waiting->event, journal_number(waiting->pos), err);
}

/* A message that nobody can read any more is counted as rejected elsewhere, and shows nothing. */
Status derive_count_rejected(struct applier *applier, const struct waiting_record *waiting, Err *err)
{
    Rejected rejected;
    if (waiting->pos < applier->saved || rejected_decode(waiting->rejected, &rejected, NULL)) return OK;
    return symptoms_add_rejected(applier->symptoms, &rejected, journal_number(waiting->pos), err);
}

/* Before the command is carried out, which forgets the numbers of its ids. Of an id that several people share all
 * examples go: whose each was is not known here, and one too few does no harm. */
void derive_forget_symptoms(struct applier *applier, Str record)
{
    JournalCommand command;
    Arena arena = region_arena(&applier->traits_region);
    size_t count = 0;
    if (command_decode(record, &arena, &command, NULL)) return;          /* control_run says so */
    if (command.kind != COMMAND_ERASE && command.kind != COMMAND_SUPPRESS) return;
    uint32_t *nodes = malloc((command.id_count + 1) * sizeof *nodes);
    check(nodes);
    for (size_t at = 0; at < command.id_count; at++) {
        const CommandId *id = &command.ids[at];
        if (id->kind == COMMAND_EXTERNAL_ID) continue;                   /* it is no message's subject */
        IdentityKind kind = id->kind == COMMAND_USER_ID ? IDENTITY_USER : IDENTITY_ANONYMOUS;
        IdentityNode node = identity_find(applier->identity, kind, id->value);
        if (node != IDENTITY_NONE) nodes[count++] = node;
    }
    qsort(nodes, count, sizeof *nodes, compare_u32);
    if (count) symptoms_forget(applier->symptoms, nodes, count);
    free(nodes);
}

Status derive_open_symptoms(struct applier *applier, int32_t first_day, int32_t end_day, struct symptoms_view **ret,
                            Err *err)
{
    derive_begin_reading(applier);
    Status s = symptoms_begin_view(applier->symptoms, first_day, end_day, ret, err);
    derive_end_reading(applier);
    if (s) return s;
    s = symptoms_read_view(*ret, err);
    if (s) symptoms_close_view(*ret);
    return s;
}

/* The evidence of a node: the rows in memory, and those that were saved. */
#include "identity_state.h"

Status identity_list_rows(const struct identity *identity, uint32_t node, struct vector *found, Err *err)
{
    (void)err;
    for (uint32_t at = identity->heads[node]; at; at = identity->rows[at].previous)
        *(struct found *)vector_push(found, sizeof(struct found)) = (struct found){ identity->rows[at], at };
    return OK;
}

void identity_flag_row(struct identity *identity, uint32_t node, struct found *found, unsigned flags)
{
    (void)node;
    found->row.flags = flags & 0xf;
    if (found->index) identity->rows[found->index].flags = flags & 0xf;
}

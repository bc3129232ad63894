/* apply_external: external ids, where the rules opt in to some: each kind has a place in the message. */
#include "apply_private.h"

Status apply_find_externals(struct event_parser *parser, const Event *event, const Str *fields, size_t count,
                            Arena *arena, IdentityValue *values, IdentityMessage *message, Err *err)
{
    message->externals = values;
    message->external_count = 0;
    for (size_t at = 0; at < count; at++) {
        Field field;
        Status s = event_find_field(parser, event->json, fields[at], arena, &field, err);
        if (s) return s;
        bool is_id = (field.kind == FIELD_STRING || field.kind == FIELD_NUMBER) && field.text.len;
        if (is_id && field.text.len <= LIMIT_ID_BYTES)
            values[message->external_count++] = (IdentityValue){ (IdentityKind)(IDENTITY_EXTERNAL + at), field.text };
    }
    return OK;
}

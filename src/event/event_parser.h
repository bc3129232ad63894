/* event_parser: what one thread needs to read JSON. Private to event/. */
#ifndef ONYM_EVENT_EVENT_PARSER_H
#define ONYM_EVENT_EVENT_PARSER_H

#include "event.h"
#include "event_walk.h"

enum { FIELD_SLOTS = 64, FIELD_ROWS_MAX = 32 };

/* Which member of a struct Message a name belongs to. A perfect hash: no two rows share a slot. */
struct field_table {
    struct field_row {
        uint64_t first, second, first_mask, second_mask;     /* the name's first 16 bytes, and which count */
        const char *name;
        uint16_t len, offset;       /* of the Field in Message */
    } rows[FIELD_ROWS_MAX];         /* from 1; row 0 is no row */
    uint8_t slots[FIELD_SLOTS];     /* index into rows; 0: none */
    uint8_t guesses[FIELD_ROWS_MAX];            /* the row that the first, second, … member had last time */
    size_t count;
};

struct event_parser {
    struct event_json *json;
    struct walk walk;               /* of the text last parsed */
    struct region messages;         /* reserved for EVENT_MESSAGES_MAX */
    size_t message_bytes;           /* sizeof(Message), unknown to the compiler: it would use "rep stos" (31 ns) */
    struct field_table fields, context_fields;
    Str *other_names, *others;      /* EVENT_OTHERS_MAX each: the unknown fields of the message at hand */
    size_t other_count;
    struct slots other_slots;       /* of their names, once there are more than a few */
    Arena *arena;                   /* the caller's, during a call */
};

/* Fills kind, raw and text of the value at the token; the walk has checked it, and next is the token after it.
 * has_escapes: it may be a string with escapes. */
void parser_read_value(struct event_parser *parser, const uint32_t *token, const uint32_t *next, bool has_escapes,
                       Field *ret);
/* The string at a token; unescaped into the arena if it has escapes. */
Str parser_read_string(const struct event_parser *parser, const uint32_t *token, Arena *arena);
/* Finds the tokens of one strict object (canonical JSON or a part of it) and begins a walk. */
Status MUST parser_begin(struct event_parser *parser, Str text, Arena *arena, Err *err);

/* The text of a lenient body made strict: see event_repair.c. False where the arena is full. */
bool event_repair(Str text, Arena *arena, Str *ret);

#endif

/* plan_value: compares values. JSON Schema compares what is meant: 1 equals 1.0, members have no
 * order, "a" equals "\u0061", and true does not equal 1. Equal values have equal hashes, so equal items of a list of
 * thousands are found by sorting it once. */
#include "plan_schema.h"

#include <stdlib.h>

enum { SHOWN_BYTES = 60 };

FieldKind schema_kind_of_node(const Node *node)
{
    Decimal number;
    switch (node->kind) {
    case NODE_NULL: return FIELD_NULL;
    case NODE_LIST: return FIELD_ARRAY;
    case NODE_MAP:  return FIELD_OBJECT;
    case NODE_TEXT: break;
    }
    if (node->is_quoted) return FIELD_STRING;
    if (str_equal(node->text, STR("true")) || str_equal(node->text, STR("false"))) return FIELD_BOOL;
    return decimal_read(node->text, &number) ? FIELD_NUMBER : FIELD_STRING;
}

static uint64_t mix(uint64_t hash, uint64_t more)
{
    uint64_t pair[2] = { hash, more };
    return hash_64(str_of(pair, sizeof pair), 0);
}

/* -0 is 0; a long number is compared as a double. */
static uint64_t hash_number(const Decimal *number)
{
    uint64_t parts[3] = { number->is_negative && number->digits, number->digits, (uint64_t)(int64_t)number->exponent };
    if (number->is_long) parts[1] = 0, memcpy(&parts[2], &number->value, sizeof number->value);
    return hash_64(str_of(parts, sizeof parts), FIELD_NUMBER);
}

static void finish_scalar(SchemaConst *value)
{
    if (value->kind == FIELD_NUMBER && !decimal_read(value->text, &value->number)) value->kind = FIELD_STRING;
    value->hash = value->kind == FIELD_NUMBER ? hash_number(&value->number)
                                              : hash_64(value->text, (uint64_t)value->kind);
}

static int compare_keys(const void *left, const void *right)
{
    return str_compare((*(const SchemaConst *const *)left)->key, (*(const SchemaConst *const *)right)->key);
}

/* If a member is there twice, the last one counts, as with the message's own fields. */
static bool finish_members(SchemaConst *value, const SchemaConst *first, uint32_t count, Arena *arena)
{
    SchemaConst **sorted = arena_try(arena, sizeof *sorted, _Alignof(SchemaConst *), count + 1);
    uint32_t at = 0, kept = 0;
    if (!sorted) return false;
    for (const SchemaConst *child = first; child; child = child->next) sorted[at++] = (SchemaConst *)(uintptr_t)child;
    if (value->kind == FIELD_OBJECT) {
        for (uint32_t place = 1; place < count; place++) {                  /* stable: the last of equals stays last */
            SchemaConst *moved = sorted[place];
            uint32_t to = place;
            if (count > 64) break;
            for (; to > 0 && str_compare(sorted[to - 1]->key, moved->key) > 0; to--) sorted[to] = sorted[to - 1];
            sorted[to] = moved;
        }
        if (count > 64) qsort(sorted, count, sizeof *sorted, compare_keys);
    }
    value->hash = mix((uint64_t)value->kind, 0);
    const SchemaConst **tail = &value->first;
    for (uint32_t place = 0; place < count; place++) {
        bool is_again = value->kind == FIELD_OBJECT && place + 1 < count &&
                        str_equal(sorted[place]->key, sorted[place + 1]->key);
        if (is_again) continue;
        *tail = sorted[place], tail = &sorted[place]->next, kept++;
        value->hash = mix(mix(value->hash, hash_64(sorted[place]->key, 1)), sorted[place]->hash);
    }
    *tail = NULL;
    value->count = kept;
    return true;
}

const SchemaConst *schema_const_of_node(struct schema_compiler *compiler, const Node *node)
{
    SchemaConst *value = arena_new(compiler->arena, SchemaConst, 1);
    const SchemaConst *first = NULL, **tail = &first;
    uint32_t count = 0;
    value->kind = schema_kind_of_node(node);
    value->key = arena_copy(compiler->arena, node->key);
    if (node->kind == NODE_TEXT) value->text = arena_copy(compiler->arena, node->text);
    if (value->kind < FIELD_OBJECT) {
        finish_scalar(value);
        return value;
    }
    node_each(child, node) {
        SchemaConst *made = (SchemaConst *)(uintptr_t)schema_const_of_node(compiler, child);
        *tail = made, tail = &made->next, count++;
    }
    check(finish_members(value, first, count, compiler->arena));
    return value;
}

static SchemaConst *read_token(const char *text, const uint32_t **token, Arena *arena)
{
    SchemaConst *value = arena_try(arena, sizeof *value, _Alignof(SchemaConst), 1);
    const SchemaConst *first = NULL, **tail = &first;
    const uint32_t *at = *token;
    uint32_t count = 0;
    if (!value || arena_left(arena) < LIMIT_RECORD_BYTES) return NULL;
    *value = (SchemaConst){ 0 };
    value->kind = event_token_kind(text, at);
    if (value->kind < FIELD_OBJECT) {
        value->text = value->kind == FIELD_STRING ? event_token_text(text, at, arena) : event_token_scalar(text, at);
        if (value->kind == FIELD_NULL) value->text = (Str){ 0 };
        finish_scalar(value);
        *token = at + 1;
        return value;
    }
    for (at++; text[*at] != '}' && text[*at] != ']'; at += text[*at] == ',') {
        Str key = { 0 };
        if (value->kind == FIELD_OBJECT) key = event_token_text(text, at, arena), at += 2;
        SchemaConst *made = read_token(text, &at, arena);
        if (!made) return NULL;
        made->key = key;
        *tail = made, tail = &made->next, count++;
    }
    *token = at + 1;
    return finish_members(value, first, count, arena) ? value : NULL;
}

const SchemaConst *schema_const_of_token(const char *text, const uint32_t *token, Arena *arena)
{
    return read_token(text, &token, arena);
}

bool schema_const_equal(const SchemaConst *a, const SchemaConst *b)
{
    if (a->kind != b->kind || a->hash != b->hash || a->count != b->count) return false;
    if (a->kind == FIELD_NULL) return true;
    if (a->kind == FIELD_NUMBER) return decimal_compare(&a->number, &b->number) == 0;
    if (a->kind < FIELD_OBJECT) return str_equal(a->text, b->text);
    const SchemaConst *left = a->first, *right = b->first;
    for (; left; left = left->next, right = right->next)
        if (!str_equal(left->key, right->key) || !schema_const_equal(left, right)) return false;
    return true;
}

void schema_write_const(struct buf *out, const SchemaConst *value)
{
    switch (value->kind) {
    case FIELD_STRING: {
        size_t len = value->text.len;
        if (len > SHOWN_BYTES) for (len = SHOWN_BYTES; len && ((unsigned char)value->text.bytes[len] & 0xC0) ==
                                    0x80;) len--;
        buf_json_string(out, str_slice(value->text, 0, len));
        if (len < value->text.len) buf_str_put(out, STR("…"));
        return;
    }
    case FIELD_NUMBER:
    case FIELD_BOOL:   buf_str_put(out, str_slice(value->text, 0, SHOWN_BYTES)); return;
    case FIELD_NULL:   buf_str_put(out, STR("null")); return;
    case FIELD_ARRAY:  buf_printf(out, "a list of %u", value->count); return;
    case FIELD_OBJECT: buf_printf(out, "an object of %u members", value->count); return;
    case FIELD_ABSENT: return;
    }
}

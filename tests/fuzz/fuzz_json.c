/* fuzz_json: any bytes as a body. Whatever is accepted
 *   is JSON to a second reader (event_tree.c, written by hand and apart from this one), once it is canonical;
 *   is, canonical, read again as the same fields;
 *   is, in a batch, the same as each of its messages alone.
 * And strict JSON objects are never refused. */
#include "event/event.h"
#include "event/event_tree.h"

#include <stdlib.h>

static struct event_parser *parser, *second;
static struct region region, second_region;

static const size_t fields[] = {
#define FIELD(member, name, section) offsetof(Message, member),
#include "event/fields.tbl.h"
#undef FIELD
};

static const Field *field_of(const Message *message, size_t at)
{
    return (const Field *)((const char *)message + fields[at]);
}

/* Equal kinds and, but for what encoding changes (ids, times, defaults), equal text. */
static void check_same_fields(const Message *a, const Message *b)
{
    check((a->broken != NULL) == (b->broken != NULL) && a->depth == b->depth && a->other_count == b->other_count);
    for (size_t at = 0; at < countof(fields); at++) {
        const Field *one = field_of(a, at), *other = field_of(b, at);
        check(one->kind == other->kind && one->key_count == other->key_count);
        check(str_equal(one->raw, other->raw) && str_equal(one->text, other->text));
    }
    for (uint32_t at = 0; at < a->other_count; at++) check(str_equal(a->others[at], b->others[at]));
    check(a->context_ip.kind == b->context_ip.kind && str_equal(a->context_ip.text, b->context_ip.text));
}

static void check_alone(const Message *message)
{
    Arena arena = region_arena(&second_region);
    Body body;
    Err err;
    if (message->raw.bytes[0] != '{') {
        check(message->broken);
        return;
    }
    Status s = event_parse_message(second, message->raw, &arena, &body, &err);
    check(s == OK || message->depth > 64);
    if (!s) check_same_fields(message, body.messages);
}

/* A planCheck that a client sends is dropped; every other field that is none of ours is kept. */
static uint32_t others_kept(const Message *message)
{
    uint32_t kept = message->other_count;
    Str rest;
    for (uint32_t at = 0; at < message->other_count; at++) {
        rest = message->others[at];
        if (rest.len >= 11 && !memcmp(rest.bytes, "\"planCheck\"", 11)) kept--;
    }
    return kept;
}

static void check_encoded(const Message *message, const EventDefaults *context)
{
    struct buf record;
    Event event;
    Body again;
    Err err;
    EventStamps stamps = {
        .type = EVENT_TRACK, .source = STR("s\"\n"), .source_raw = STR("\"s\\\"\\n\""), .timestamp_ms = 1,
        .received_at_ms = 2, .original_timestamp_ms = INSTANT_NONE, .sent_at_ms = 3,
          .timestamp = STR("1970-01-01T00:00:00.001Z"),
        .received_at = STR("1970-01-01T00:00:00.002Z"), .context = context, .integrations = context,
          .ip_raw = STR("\"1.2.3.4\""),
        .message_id = message->message_id.text.len ? (Str){ 0 } : STR("made"),
    };
    for (size_t at = 0; at < countof(fields); at++)                     /* what rules and limits keep away */
        if (field_of(message, at)->text.len > 512) return;
    if (message->message_id.kind > FIELD_NUMBER || message->user_id.kind > FIELD_NUMBER ||
        message->anonymous_id.kind > FIELD_NUMBER || message->previous_id.kind > FIELD_NUMBER ||
        message->group_id.kind > FIELD_NUMBER)
        return;
    if (event_record_bytes_max(message, &stamps) > 1 << 20) return;
    if (message->context_ip.kind) stamps.ip_raw = (Str){ 0 };
    buf_init(&record, 2 << 20);
    event_encode_message(&record, parser, message, &stamps);
    check(buf_ok(&record) && record.len <= event_record_bytes_max(message, &stamps));
    check(event_decode(buf_str(&record), &event, &err) == OK);
    if (!stamps.message_id.len) check(str_equal(event.message_id, message->message_id.text));
    check(str_equal(event.user_id, message->user_id.text));
    check(str_equal(event.anonymous_id, message->anonymous_id.text));
    check(str_equal(event.group_id, message->group_id.text));
    check(str_equal(event.previous_id, message->previous_id.text));
    check(str_equal(event.source, stamps.source));
    if (message->event.kind == FIELD_STRING) check(str_equal(event.name, message->event.text));
    for (size_t at = 0; at < event.json.len; at++) check((unsigned char)event.json.bytes[at] >= 0x20);

    Arena arena = region_arena(&second_region);
    const TreeNode *root;
    check(event_tree_read(event.json, &arena, &root, &err) == OK || message->depth >= LIMIT_JSON_DEPTH);
    check(event_parse_message(second, event.json, &arena, &again, &err) == OK);
    check(str_equal(again.messages->user_id.text, event.user_id));
    check(again.messages->other_count == others_kept(message) && again.messages->raw.len == event.json.len);
    check(str_equal(again.messages->traits.raw, message->traits.raw) || message->traits.kind == FIELD_ARRAY);
    buf_done(&record);
}

static void check_walks(const uint8_t *bytes, size_t count)
{
    Arena arena = region_arena(&second_region);
    Field field;
    Err err;
    size_t path_len = count ? bytes[0] % 24 : 0;
    if (path_len > count) path_len = count;
    char *exact = malloc(count + 1);
    memcpy(exact, bytes, count);
    Str path = { exact, path_len }, json = { exact + path_len, count - path_len };
    (void)!event_find_field(second, json, path, &arena, &field, &err);
    (void)!event_find_field(second, json, STR("a.b.c"), &arena, &field, &err);
    free(exact);
}

/* Strict text is accepted: what the second reader takes for an object, shallow enough, and without what
 * ours mends (lone surrogates it may refuse, bytes that are no UTF-8 it lets pass). */
static void check_not_refused(Str text, Status s)
{
    Arena arena = region_arena(&second_region);
    const TreeNode *root;
    Err err;
    if (s == OK || event_tree_read(text, &arena, &root, &err) || root->kind != FIELD_OBJECT) return;
    for (size_t at = 0; at < text.len; at++)
        if ((unsigned char)text.bytes[at] >= 0x80 || (unsigned char)text.bytes[at] < 0x20) return;
    const TreeNode *batch = NULL;
    for (const TreeNode *node = root->first; node; node = node->next)
        if (str_equal(node->key, STR("batch"))) batch = node;
    check(batch != NULL);                               /* which may be no list, or too long */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (!parser) {
        parser = event_parser_open();
        second = event_parser_open();
        region_open(&region, 256 << 20);
        region_open(&second_region, 256 << 20);
    }
    if (count > 1 << 18) return 0;
    Arena arena = region_arena(&region);
    Body body;
    Err err;
    char *exact = malloc(count + 1);                    /* so that reads after the end are seen */
    memcpy(exact, bytes, count);
    Str text = { exact, count };
    Status s = event_parse_body(parser, text, 50, &arena, &body, &err);
    check_not_refused(text, s);
    if (s == OK) {
        EventDefaults context = { 0 };
        Status listed = event_list_defaults(parser, &body.context, &arena, &context, &err);
        for (size_t at = 0; at < body.message_count; at++) {
            if (body.is_batch) check_alone(&body.messages[at]);
            if (!body.messages[at].broken && !listed) check_encoded(&body.messages[at], &context);
        }
    }
    free(exact);
    check_walks(bytes, count);
    return 0;
}

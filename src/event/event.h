/* event: the noun. One accepted message, in memory, as JSON, and as journal bytes.
 *
 * What it is not: it knows no HTTP, no journal file, no identity rule. simdjson is known to
 * event_json.cc only.
 *
 * The life of a message: event_parse_body finds the messages of a body and their fields (borrowing
 * from the body); collect/ validates and stamps them; event_encode_message turns one into a *record*,
 * the payload of one journal frame; event_decode reads a record back without parsing JSON.
 *
 * A record (all integers little-endian; EVENT_RECORD_VERSION is its first byte's high nibble):
 *   a fixed head with kind, type, times and, for each key string, offset and length into what follows;
 *   then the canonical JSON of the message, complete in itself, as exports and destinations see it;
 *   then the unescaped form of those key strings that the JSON holds with escapes.
 * The exact layout is at the top of event_record.c.
 *
 * Canonical JSON: the message as sent, values byte for byte as the client wrote them (only white space is
 * removed), except: the ids are strings; timestamp is the corrected one; originalTimestamp,
 * sentAt, receivedAt, messageId, type are stamped; what context and integrations lack is filled from the batch's
 * defaults; an identify without traits takes those of its context; context.ip is filled where the rule says
 * so; writeKey is dropped; projectId is the source's name (Segment's archives use it for the same); timeProblem and
 * unreadTimestamp come last where the time is not what the client said, and after them planCheck where the
 * message breaks the tracking plan. These three are dropped
 * from what a client sends, however their names are spelt.
 */
#ifndef ONYM_EVENT_EVENT_H
#define ONYM_EVENT_EVENT_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum EventType {
    EVENT_NONE = 0,                 /* not given, or not one of these */
    EVENT_IDENTIFY, EVENT_TRACK, EVENT_PAGE, EVENT_SCREEN, EVENT_GROUP, EVENT_ALIAS,
    EVENT_TYPE_COUNT
} EventType;

const char *event_type_word(EventType type);             /* "identify"; EVENT_NONE gives "" */
EventType event_type_from(Str word);                     /* the whole words only; EVENT_NONE: none of them */

/* A live message without a messageId gets a random UUID of version 8, which no client's library makes. So whoever reads
 * the id knows that the client gave none. These two mark a UUID so, and look for the mark. */
enum { EVENT_MADE_ID_BYTES = 36, EVENT_MADE_ID_VERSION = 14 };
static inline void event_mark_made_id(char uuid[EVENT_MADE_ID_BYTES]) { uuid[EVENT_MADE_ID_VERSION] = '8'; }
static inline bool event_is_made_id(Str id)
{
    return id.len == EVENT_MADE_ID_BYTES && id.bytes[EVENT_MADE_ID_VERSION] == '8' && id.bytes[8] == '-'
        && id.bytes[13] == '-' && id.bytes[18] == '-' && id.bytes[23] == '-';
}

/* What kind of JSON value a field held, so that validation can name it. */
typedef enum FieldKind {
    FIELD_ABSENT = 0, FIELD_NULL, FIELD_STRING, FIELD_NUMBER, FIELD_BOOL, FIELD_OBJECT, FIELD_ARRAY,
} FieldKind;

typedef struct Field {
    FieldKind kind : 8;
    uint32_t key_count : 24;        /* objects: how many keys; arrays: how many items */
    uint32_t token;                 /* private to event/: where the walk met it */
    Str raw;                        /* the JSON text of the value, quotes and all; borrowed from the body */
    Str text;                       /* strings: unescaped. numbers: as an id is written ("42", not "4.2e1") */
} Field;

/* A message as the client sent it: fields found, nothing judged yet. */
typedef struct Message {
    Str raw;                        /* the message's whole JSON object */
    Field type, message_id, user_id, anonymous_id, previous_id, group_id;
    Field event, name, category;
    Field timestamp, original_timestamp, sent_at, received_at;
    Field context, integrations, properties, traits;
    Field context_ip, context_direct, context_user_agent;       /* context.ip, .direct, .userAgent */
    Field context_traits;           /* context.traits: an identify that has no traits takes these */
    Field write_key, project_id;
    /* What only Onym stamps, as somebody sent it back: the values' JSON; empty where it is absent. */
    Str plan_check, time_problem, unread_timestamp;
    const Str *others;              /* unknown fields, as "name":value, each name once (the last) */
    uint32_t other_count;
    uint32_t depth;                 /* deepest nesting in it; the message itself is 1 */
    const char *broken;             /* not NULL: it is no object, or over a limit of its structure; why, in words */
} Message;

/* A body: either one message or a batch envelope. */
typedef struct Body {
    bool is_batch;                  /* there was a "batch" array */
    Message *messages;              /* in the order sent; one for a single message */
    size_t message_count;
    Field write_key, sent_at, context, integrations, message_id, timestamp;   /* the envelope's own (batch) */
    Field context_ip, context_direct, context_user_agent;
} Body;

/* Finds the messages of a body. What it gives borrows from the body, the arena and the parser, until the
 * parser's next call. Of a field that is there twice the last one counts.
 *
 * Clients are read as leniently as usual writers of JSON need, and what is kept is strict: a byte order
 * mark is skipped; white space between tokens is dropped; bytes that are not UTF-8 and lone surrogates
 * ("\ud83d") become U+FFFD; NaN and Infinity become null. (docs/protocol.md#json)
 *
 * Whatever is wrong with one message of a batch is marked in that message (broken). ERR_INPUT: the body is
 * not a JSON object, or its "batch" is not an array. ERR_TOO_LARGE: there are over max_messages, or the arena
 * cannot hold a strict copy of the body. */
enum { EVENT_PADDING_BYTES = 64, EVENT_MESSAGES_MAX = 64 * 1024, EVENT_OTHERS_MAX = 1000 };
struct event_parser;                                     /* the token finder's buffers; one per thread */
struct event_parser *event_parser_open(void);            /* NULL: no memory */
void event_parser_close(struct event_parser *parser);    /* accepts NULL */
Status MUST event_parse_body(struct event_parser *parser, Str text, size_t max_messages, Arena *arena, Body *ret,
                             Err *err);
/* The same for a text that is always one message: a "batch" in it is an unknown field. */
Status MUST event_parse_message(struct event_parser *parser, Str text, Arena *arena, Body *ret, Err *err);

/* ---- Canonical JSON ---- */

/* A batch's context or integrations, which fill in what a message lacks. */
typedef struct EventDefaults {
    Str *names;                     /* unescaped */
    Str *members;                   /* "name":value */
    size_t count, bytes;            /* bytes: of all members with their commas */
} EventDefaults;

enum { EVENT_DEFAULTS_MAX = 256 };
/* Lists the members of an envelope's field; a field that is absent, null or an empty array has none. If a name is there
 * twice, the last one counts. Call it after event_parse_body and before the parser's next call.
 * ERR_INPUT: the field is not an object. ERR_TOO_LARGE: it has over EVENT_DEFAULTS_MAX names. */
Status MUST event_list_defaults(struct event_parser *parser, const Field *field, Arena *arena, EventDefaults *ret,
                                Err *err);

/* What collect/ has decided about a message. Strings marked raw are JSON, as the record will hold them. */
typedef struct EventStamps {
    EventType type;
    bool from_import;
    Str source, source_raw;
    Str message_id;                 /* replaces the message's own, unless empty; plain ASCII */
    Millis timestamp_ms, original_timestamp_ms, sent_at_ms, received_at_ms;
    Str timestamp, received_at;     /* as text, without quotes, in the shape that instant_write gives */
    Str original_timestamp_raw, sent_at_raw;         /* empty: none */
    Str time_problem, unread_timestamp_raw;          /* a plain word; a time that no other field holds. Empty: none */
    Str ip_raw, user_agent_raw;     /* put into context; empty: nothing to put */
    Str plan_check_raw;             /* what in it breaks the tracking plan (plan/); empty: nothing */
    const EventDefaults *context, *integrations;
} EventStamps;

/* ---- Records ---- */

typedef enum RecordKind {
    RECORD_EVENT = 1,               /* an accepted message */
    RECORD_REJECTED = 2,            /* a message that broke a rule, kept with its reason */
    RECORD_COMMAND = 3,             /* something an operator did that changes derived state: unmerge, erase, ... */
    RECORD_ERASED = 4,              /* was erased on request: the length is kept, the bytes are zeros */
} RecordKind;

enum { EVENT_RECORD_VERSION = 1 };

#define INSTANT_NONE INT64_MIN

/* An accepted message. Strings borrow: from anywhere when encoding, from the record when decoding. */
typedef struct Event {
    EventType type;
    Str source;                                     /* the source's name */
    Str message_id, user_id, anonymous_id, previous_id, group_id;    /* unescaped; empty: none */
    Str name;                                       /* track: event; page, screen: name; else empty */
    Str category;
    Millis timestamp_ms;                            /* corrected: when it happened, by our clock */
    Millis original_timestamp_ms, sent_at_ms;       /* INSTANT_NONE where the client gave none that can be read */
    Millis received_at_ms;                          /* when this Onym took it in (an import's JSON keeps its own) */
    bool from_import;                               /* it kept its own times; no live client sent it */
    Str json;                                       /* canonical JSON */
    Str plan_check;                                 /* the planCheck that Onym stamped, an object; else empty */
    const struct event_outline *outline;            /* of json (event_outline.h), if somebody has made it; or NULL */
} Event;

typedef struct Rejected {
    Str source;                                     /* empty: the key belongs to none */
    Str reason;                                     /* a word of docs/protocol.md#rejections: "no_user_anon_id" */
    Str field;                                      /* which field is at fault; may be empty */
    Str text;                                       /* a sentence */
    Millis received_at_ms;
    Str json;                                       /* the message as sent, cut at LIMIT_REJECTED_BYTES */
    bool is_whole;                                  /* tells the encoder to cut json at LIMIT_MESSAGE_BYTES instead */
    bool from_import;                               /* false, too, where an older Onym wrote the record */
} Rejected;

/* The RecordKind of a record, by its first byte only; 0: it is none. */
RecordKind record_kind(Str record);

/* Appends a record (no frame) to the buffer. */
void event_encode(struct buf *buf, const Event *event);
void rejected_encode(struct buf *buf, const Rejected *rejected);

/* Composes a parsed message's canonical JSON and appends its record, in one go. The message must have
 * passed collect/'s rules. Call it before the parser's next call. */
void event_encode_message(struct buf *buf, struct event_parser *parser, const Message *message,
                          const EventStamps *stamps);
/* The most bytes that a record of these can have when event_encode_message has made it. */
size_t event_record_bytes_max(const Message *message, const EventStamps *stamps);

/* Reads one back; the strings borrow from the record. ERR_DAMAGED: lengths do not add up.
 * ERR_UNSUPPORTED: a later version wrote it. Safe on any bytes. */
Status MUST event_decode(Str record, Event *ret, Err *err);
Status MUST rejected_decode(Str record, Rejected *ret, Err *err);

/* Can this Onym read the record, whatever its kind? If not, err says why. */
Status MUST record_check(Str record, Arena scratch, Err *err);

/* ---- Commands ---- */

typedef enum CommandKind {
    COMMAND_UNMERGE = 1,            /* the link that a message gave does not count any more */
    COMMAND_RESTORE,                /* it counts again */
    COMMAND_ERASE,                  /* all that came under these ids is forgotten; what comes later is kept */
    COMMAND_SUPPRESS,               /* from here on messages with one of these ids are not applied */
    COMMAND_UNSUPPRESS,
    COMMAND_KIND_COUNT
} CommandKind;

/* An external id has the name of its kind in front, "email:kim@x.example", not with a number: a number would
 * change when the rules list the kinds in another order. */
typedef enum CommandIdKind { COMMAND_USER_ID = 1, COMMAND_ANONYMOUS_ID, COMMAND_EXTERNAL_ID } CommandIdKind;

/* from_ms .. to_ms: when several people share the id, an erasure takes only what happened in this time;
 * INT64_MIN .. INT64_MAX: all of it. */
typedef struct CommandId {
    CommandIdKind kind;
    Str value;
    Millis from_ms, to_ms;
    bool keeps_aliases;             /* an anonymous id; its value is a user id, too, which aliases mean */
} CommandId;

static inline bool command_id_is_whole(const CommandId *id)
{
    return id->from_ms == INT64_MIN && id->to_ms == INT64_MAX;
}

/* Something that an operator did. It is in the journal like everything else, so that a rebuild does it again at the
 * same place. It is complete: it holds what it needs of a message, since that message may be retired by then. */
typedef struct JournalCommand {
    CommandKind kind;
    Millis at_ms;
    Str author;                     /* who asked, in words; may be empty */
    /* unmerge, restore: the message whose evidence it is */
    uint64_t position;
    Str message_id, user_id, anonymous_id, previous_id;
    Millis timestamp_ms;
    bool is_alias;
    bool has_source;                /* false: an older Onym wrote it, without a source; it means each source */
    Str source;                     /* the message's, by name */
    /* erase, suppress, unsuppress */
    const CommandId *ids;
    size_t id_count;
} JournalCommand;

/* A record holds so many bytes of ids (LIMIT_RECORD_BYTES): cut a longer list into several commands. */
enum { COMMAND_IDS_BYTES = LIMIT_RECORD_BYTES - 4096, COMMAND_IDS_MAX = UINT16_MAX };
void command_encode(struct buf *buf, const JournalCommand *command);
size_t command_id_bytes(const CommandId *id);            /* what it takes of COMMAND_IDS_BYTES */
/* Strings borrow from the record, the list lives in the arena. ERR_DAMAGED, ERR_UNSUPPORTED, ERR_TOO_LARGE. Safe on
 * any bytes. */
Status MUST command_decode(Str record, Arena *arena, JournalCommand *ret, Err *err);
/* Does this erasure take the message? It does if the message's subject is one of its ids, at its time, or if the
 * message is an alias of one. If an event's userId is blocked, pass it without that userId. */
bool command_names_event(const JournalCommand *command, const Event *event);

/* ---- Walking a record's JSON ---- */

/* The value at a dotted path ("properties.plan", "context.campaign.source", "traits.email") of the
 * canonical JSON; FIELD_ABSENT where there is none. Borrows from json (needs no padding) and the arena. */
Status MUST event_find_field(struct event_parser *parser, Str json, Str path, Arena *arena, Field *ret, Err *err);

/* Calls visit for every key of the object at the path, in order. Used for traits and properties. */
typedef void EventVisit(void *context, Str key, const Field *value);
Status MUST event_visit_object(struct event_parser *parser, Str object_json, Arena *arena, EventVisit *visit,
                               void *context, Err *err);

/* ---- A record's JSON without a parser: member by member, or where each of them stands ---- */

#include "event_outline.h"

/* ---- Parsed values, token by token ---- */

#include "event_cursor.h"

/* ---- Trees ---- */

#include "event_tree.h"

#ifdef __cplusplus
}
#endif
#endif

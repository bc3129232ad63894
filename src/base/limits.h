/* limits: every ceiling of the program in one list, with the assertions that relate them.
 * Sizes are bytes. Where a limit comes from the protocol, its section in docs/protocol.md is named. */
#ifndef ONYM_BASE_LIMITS_H
#define ONYM_BASE_LIMITS_H

#include <assert.h>

enum {
    /* what one request may be (docs/protocol.md#limits; a little above Segment's, whose clients count differently) */
    LIMIT_MESSAGE_BYTES    = 33 * 1024,        /* one message; Segment says 32 KB */
    LIMIT_BODY_BYTES       = 520 * 1024,       /* a request's body after inflation; Segment says 500 KB */
    LIMIT_BATCH_EVENTS     = 2500,             /* messages in a batch */
    LIMIT_MESSAGE_ID_BYTES = 100,
    LIMIT_KIND_NAME_BYTES  = 32,               /* "email": a kind of external ids */
    LIMIT_ID_BYTES         = 512,              /* userId, anonymousId, previousId, groupId */
    LIMIT_INDEXED_TEXT_BYTES = 508,            /* longer texts are there, but not indexed */
    LIMIT_EVENT_NAME_BYTES = 512,              /* event, name, category */
    LIMIT_JSON_DEPTH       = 64,
    LIMIT_PROPERTIES       = 10000,            /* keys of properties or traits */
    LIMIT_HEADER_BYTES     = 32 * 1024,        /* all request headers together */
    LIMIT_URL_BYTES        = 16 * 1024,        /* the pixel and JSONP forms carry a message in the URL */
    LIMIT_WRITE_KEY_BYTES  = 128,
    LIMIT_REJECTED_BYTES   = 4 * 1024,         /* how much of a rejected message is kept with its reason */
    LIMIT_SOURCES          = 1024,
    LIMIT_DEVICE_MODE_BYTES = 16 * 1024,       /* a source's tools in the page, as JSON */

    /* the journal */
    LIMIT_RECORD_BYTES     = 64 * 1024,        /* one record: a message with stamps and batch defaults merged */
    LIMIT_APPEND_BYTES     = 4 * 1024 * 1024,  /* one request's frames */
    LIMIT_COMMIT_BYTES     = 64 * 1024 * 1024, /* one group commit */
    LIMIT_SEGMENT_BYTES    = 1024 * 1024 * 1024,

    /* reading */
    LIMIT_PAGE_ITEMS       = 1000,             /* items of one page of an API answer */
    LIMIT_ANSWER_BYTES     = 64 * 1024 * 1024, /* an API answer */
};

static_assert(LIMIT_MESSAGE_BYTES < LIMIT_BODY_BYTES, "a message fits a body");
static_assert(LIMIT_APPEND_BYTES <= LIMIT_COMMIT_BYTES, "a request fits a commit");
static_assert(LIMIT_COMMIT_BYTES <= LIMIT_SEGMENT_BYTES, "a commit fits a segment");

#endif

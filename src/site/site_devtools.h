/* site_devtools: the Chrome DevTools Protocol over a pair of pipes: JSON texts, each ended by a zero byte.
 *
 * It knows the frames, and nothing of what they mean: send puts a command into the queue, next gives the next message
 * that came (an answer with its id, or an event). Both ends are bounded, since a page decides what Chromium writes: a
 * message over DEVTOOLS_MESSAGE_BYTES is read and dropped, and if Chromium reads too slowly, sending fails at once.
 */
#ifndef ONYM_SITE_DEVTOOLS_H
#define ONYM_SITE_DEVTOOLS_H

#include "os/os.h"

enum {
    DEVTOOLS_MESSAGE_BYTES = 4 * 1024 * 1024,
    DEVTOOLS_QUEUE_BYTES = 1024 * 1024,
    DEVTOOLS_COMMAND_BYTES = 64 * 1024
};

struct devtools {
    int in, out;                    /* descriptors that do not block; borrowed */
    struct buf read, queue;         /* read: the message that is coming, and what came after it */
    size_t taken;                   /* bytes of read that were given already */
    bool is_skipping, is_ended;
    uint64_t skipped_count, last_id;
};

void devtools_open(struct devtools *devtools, int in, int out);
void devtools_close(struct devtools *devtools);

/* Puts {"id":…,"method":…,"params":…} into the queue and gives its id; session and params may be empty. 0: there
 * is no room, Chromium has stopped reading. */
uint64_t devtools_send(struct devtools *devtools, Str session, const char *method, Str params);

/* Waits for a message until the instant (of the monotonic clock), and writes what is queued meanwhile. OK with an empty
 * *ret: none came. The message is good until the next call. ERR_CLOSED: Chromium has ended. */
Status MUST devtools_next(struct devtools *devtools, int64_t until_ns, Str *ret, Err *err);

/* The method's name of an event, without parsing the rest; empty for an answer. */
Str devtools_method(Str message);

#endif

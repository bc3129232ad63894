/* history: what the journal has ever said, record by record, kept by the simulator, where no erasure reaches it; and
 * what counts of it by the rules of docs/protocol.md, identity.md and privacy.md, said once more in a few lines:
 *   - a message counts once, at its first record that is not of a suppressed id;
 *   - a suppressed id leaves out what comes after its command, until it is allowed again;
 *   - an erasure takes every message before its command that it names;
 *   - what retention has removed counts until all is derived anew. */
#ifndef ONYM_TESTS_SIM_HISTORY_H
#define ONYM_TESTS_SIM_HISTORY_H

#include "event/event.h"
#include "journal/journal.h"

enum { SUPPRESSED_MAX = 64, HISTORY_COMMAND = -1 };

struct world;

typedef struct Entry {
    JournalPos pos;
    int sent;                           /* index of the message; or HISTORY_COMMAND */
    int about;                          /* of a command: the message that it takes back; -1: none */
    CommandKind kind;                   /* of a command */
    int64_t came_ns;                    /* by a clock that is never set */
    Millis time_ms;                     /* when it happened, by our clock as it was then */
    JournalPos erased_by;               /* 0: nobody */
    bool is_late;                       /* of an id that was suppressed: left out, and erased there in time */
    bool is_again;                      /* a command that nobody ordered: it says again what is in force */
    bool is_forgotten;                  /* an erasure: the destinations have said that they know nobody of it */
} Entry;

struct history {
    Entry *entries;
    size_t count, capacity, gone;       /* gone: the first so many; retention has removed them */
    JournalPos next;                    /* where the journal goes on */
    struct { CommandIdKind kind; bool has_ended; char value[48]; JournalPos pos; } suppressed[SUPPRESSED_MAX];
    size_t suppressed_count;
};

/* Reads on, with a disk that works. To be called whenever something became durable, before anything can be erased. */
void history_follow(struct world *world);
/* All that is derived is made anew from what is left of the journal. */
void history_remake(struct world *world);
/* The number in suppressed of an id that the message names; -1: none does. */
int history_find_suppressed(const struct world *world, int sent);
/* One of them was suppressed at some time. */
bool history_was_suppressed(const struct world *world, int sent);
/* A message as its record has it. */
Event history_event(const struct world *world, int sent);
void history_done(struct history *history);

#endif

/* tools_record_filter: which records `onym tail` and `onym export` were asked for. Every given kind of condition
 * must hold; of several values of one kind, any. */
#ifndef ONYM_TOOLS_RECORD_FILTER_H
#define ONYM_TOOLS_RECORD_FILTER_H

#include "command/command.h"
#include "event/event.h"
#include "segments/segments.h"

enum { FILTER_VALUES = 16 };

typedef struct FilterValues { Str items[FILTER_VALUES]; size_t count; } FilterValues;

struct record_filter {
    bool wants_events, wants_rejected;
    unsigned types;                        /* bits 1 << EventType; 0: any */
    FilterValues events, users, sources;
    Millis from_ms, to_ms;                 /* event time, [from, to) */
    Millis received_from_ms;
};

/* Reads --type, --event, --user, --source. EXIT_FINE or the exit code after complaining. */
int record_filter_init(struct record_filter *filter, const struct command_line *line);
bool record_filter_matches_event(const struct record_filter *filter, const Event *event);
/* A rejected message was never taken apart, so type, event and user are looked for in what was kept of its
 * text, as JSON strings. */
bool record_filter_matches_rejected(const struct record_filter *filter, const Rejected *rejected);
/* A record of any kind; *ret_event is filled where it is an event that is wanted. A record that cannot be
 * read (ERR_DAMAGED, or ERR_UNSUPPORTED: of a newer version) is said so and never just no match. */
Status MUST record_filter_read(const struct record_filter *filter, Str record, Event *ret_event, bool *ret_matches,
                               Err *err);

/* "2026-11-23", "2026-11-23T12:00:00Z", "15m" (ago), "now". */
bool parse_when(const char *text, Millis now_ms, Millis *ret_ms);
/* The same for an option that may be absent: *ret_ms keeps its value then. */
int read_when(const struct command_line *line, const char *option, Millis *ret_ms);

/* Opens the journal of the configuration for reading beside a server. */
Status MUST open_journal_to_read(const struct config *config, Arena *arena, struct journal **ret, Err *err);

#endif

/* terminal: what a stream can show: whether it is a terminal, its width, colours; text cut and padded to
 * columns; the progress bar. Text from events goes through terminal_put, so that no event can move the
 * cursor or colour the screen. */
#ifndef ONYM_TERMINAL_TERMINAL_H
#define ONYM_TERMINAL_TERMINAL_H

#include "os/os.h"

#include <stdio.h>

typedef struct Terminal {
    FILE *stream;
    bool is_terminal, has_colours;     /* colours: a terminal, NO_COLOR unset or empty, TERM not dumb */
    unsigned width;                    /* columns; 0: no terminal, nothing is cut */
} Terminal;

Terminal terminal_of(FILE *stream);
/* The width now; a window may have been resized. */
unsigned terminal_width(const Terminal *terminal);

typedef enum Colour { PLAIN, BOLD, DIM, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN } Colour;
const char *terminal_start(const Terminal *terminal, Colour colour);   /* "" where there are no colours */
const char *terminal_end(const Terminal *terminal, Colour colour);

/* How many columns a text takes: UTF-8, wide characters two, combining ones none. */
unsigned text_columns(Str s);
/* Appends the text, control characters and invalid UTF-8 as '?', cut with an ellipsis to most columns
 * (0: whole), padded with spaces to least. Gives the columns taken. */
unsigned terminal_put(struct buf *buf, Str s, unsigned least, unsigned most);

/* What was not laid out for a terminal (JSON, CSV, what somebody else wrote): as it is into a file or a pipe; on a
 * terminal, control characters and those that turn the direction of a text become \u001b and the like, which JSON
 * reads back as what they were. */
void terminal_write(FILE *stream, Str text);
/* The same into a buffer, as for a terminal. */
void terminal_make_visible(struct buf *buf, Str text);

/* ---- Progress ---- */

/* One line on standard error that redraws itself a few times a second; nothing where that is no terminal. */
struct progress {
    Terminal terminal;
    struct clock *clock;
    const char *what;
    int64_t started_ns, drawn_ns;
    bool is_drawn;
};

void progress_init(struct progress *progress, struct clock *clock, const char *what);
/* Of bytes. all 0: unknown. note may be empty: "12,345 lines". */
void progress_show(struct progress *progress, uint64_t done, uint64_t all, Str note);
/* Of anything else: how many of how many is not said, only the share. */
void progress_show_share(struct progress *progress, uint64_t done, uint64_t all, Str note);
/* The same where there is nothing to measure: "asking  12 s". */
void progress_note(struct progress *progress, Str note);
void progress_clear(struct progress *progress);       /* leaves the line empty, before other output */

/* "1,234,567" and "12.3 MB" in the caller's text (32 bytes are enough). */
const char *count_text(uint64_t count, char *text, size_t size);
const char *bytes_text(uint64_t bytes, char *text, size_t size);

#include "terminal_event.h"
#include "terminal_table.h"
#include "terminal_visitors.h"

#endif

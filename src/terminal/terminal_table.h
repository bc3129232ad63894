/* terminal_table: columns that line up in a terminal, with bars, and the words for shares and durations.
 *
 * Cells are added row by row, each to the next column; table_write lays them out: as wide as they need, bars in
 * what is left, texts cut where that is too little (what a row is told by, a time say, is whole always). Text from
 * events goes through terminal_put. Without a terminal, for a pipe or a file, bars end at TABLE_COLUMNS, no text is cut
 * and there are no colours.
 */
#ifndef ONYM_TERMINAL_TABLE_H
#define ONYM_TERMINAL_TABLE_H

#include "terminal.h"

enum { TABLE_COLUMNS = 80, TABLE_CELLS_MAX = 32 };

typedef enum TableKind {
    TABLE_TEXT,                       /* at the left; cut where there is no room */
    TABLE_WHOLE,                      /* at the left; never cut */
    TABLE_NUMBER,                     /* at the right */
    TABLE_BAR                         /* takes what is left over */
} TableKind;

struct table_row;
struct table {
    Arena *arena;
    const Terminal *terminal;
    struct { TableKind kind; Str title; } columns[TABLE_CELLS_MAX];
    unsigned column_count;
    struct table_row *first, **last, *row;
    bool has_no_titles;
};

void table_open(struct table *table, Arena *arena, const Terminal *terminal);
void table_column(struct table *table, TableKind kind, Str title);
void table_row(struct table *table);                                           /* begins one */
void table_text(struct table *table, Colour colour, Str text);                 /* kept: borrows until written */
void table_printf(struct table *table, Colour colour, const char *format, ...) FORMAT(3, 4);
/* part of the column filled, and after it, dim, as far as before: what was lost on the way. */
void table_bar(struct table *table, Colour colour, double part, double before);
void table_write(const struct table *table, struct buf *out);

/* A text made of eighths of blocks: values between 0 and most, one character each. */
Str spark_text(const double *values, size_t count, double most, Arena *arena);

/* "50.0%", "100%", "<0.1%"; "850 ms", "12 s", "5 min 12 s", "2 h 5 min", "3 d 4 h". In the arena. */
Str share_text(double share, Arena *arena);
Str duration_text(Millis duration_ms, Arena *arena);

#endif

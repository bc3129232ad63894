/* terminal_table: two passes over the cells: how wide, then out. */
#include "terminal_table.h"

#include <stdarg.h>
#include <stdio.h>

enum { GAP = 2, TEXT_LEAST = 8, BAR_LEAST = 6, BAR_MOST = 48 };

struct cell {
    Str text;
    Colour colour;
    double part, before;
};

struct table_row {
    struct table_row *next;
    unsigned count;
    struct cell cells[TABLE_CELLS_MAX];
};

void table_open(struct table *table, Arena *arena, const Terminal *terminal)
{
    *table = (struct table){ .arena = arena, .terminal = terminal };
    table->last = &table->first;
}

void table_column(struct table *table, TableKind kind, Str title)
{
    check(table->column_count < TABLE_CELLS_MAX);
    table->columns[table->column_count].kind = kind;
    table->columns[table->column_count++].title = title;
}

void table_row(struct table *table)
{
    table->row = arena_new(table->arena, struct table_row, 1);
    *table->last = table->row;
    table->last = &table->row->next;
}

static struct cell *next_cell(struct table *table, Colour colour)
{
    check(table->row && table->row->count < table->column_count);
    struct cell *cell = &table->row->cells[table->row->count++];
    cell->colour = colour;
    return cell;
}

void table_text(struct table *table, Colour colour, Str text) { next_cell(table, colour)->text = text; }

void table_printf(struct table *table, Colour colour, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    next_cell(table, colour)->text = arena_copy(table->arena, str_from(text));
}

void table_bar(struct table *table, Colour colour, double part, double before)
{
    struct cell *cell = next_cell(table, colour);
    cell->part = part < 0 ? 0 : part > 1 ? 1 : part;
    cell->before = before < 0 ? 0 : before > 1 ? 1 : before;
}

/* ---- How wide ---- */

static void measure(const struct table *table, unsigned widths[TABLE_CELLS_MAX])
{
    for (unsigned at = 0; at < table->column_count; at++)
        widths[at] = table->has_no_titles ? 0 : text_columns(table->columns[at].title);
    for (const struct table_row *row = table->first; row; row = row->next)
        for (unsigned at = 0; at < row->count; at++) {
            unsigned columns = text_columns(row->cells[at].text);
            if (columns > widths[at]) widths[at] = columns;
        }
}

static unsigned total_width(const struct table *table, const unsigned *widths)
{
    unsigned total = 0;
    for (unsigned at = 0; at < table->column_count; at++) total += widths[at] + (at ? GAP : 0);
    return total;
}

/* Bars get what is left; where nothing is, the widest texts give. */
static void fit(const struct table *table, unsigned widths[TABLE_CELLS_MAX])
{
    unsigned width = table->terminal->width ? table->terminal->width : TABLE_COLUMNS, bars = 0;
    for (unsigned at = 0; at < table->column_count; at++)
        if (table->columns[at].kind == TABLE_BAR) widths[at] = BAR_LEAST, bars++;
    unsigned total = total_width(table, widths);
    while (table->terminal->width && total > width) {
        unsigned widest = TABLE_CELLS_MAX;
        for (unsigned at = 0; at < table->column_count; at++)
            if (table->columns[at].kind == TABLE_TEXT && widths[at] > TEXT_LEAST
                && (widest == TABLE_CELLS_MAX || widths[at] > widths[widest])) widest = at;
        if (widest == TABLE_CELLS_MAX) return;
        widths[widest]--, total--;
    }
    unsigned more = bars && total < width ? (width - total) / bars : 0;
    for (unsigned at = 0; at < table->column_count; at++)
        if (table->columns[at].kind == TABLE_BAR)
            widths[at] = BAR_LEAST + more > BAR_MOST ? BAR_MOST : BAR_LEAST + more;
}

/* ---- Out ---- */

static void put_colour(const struct table *table, struct buf *out, Colour colour)
{
    buf_str_put(out, str_from(terminal_start(table->terminal, colour)));
}

static void put_plain(const struct table *table, struct buf *out, Colour colour)
{
    buf_str_put(out, str_from(terminal_end(table->terminal, colour)));
}

static void put_spaces(struct buf *out, unsigned count)
{
    while (count-- > 0) buf_char(out, ' ');
}

/* A share that is more than nothing is seen to be. */
static unsigned bar_eighths(double part, unsigned width)
{
    unsigned eighths = (unsigned)(part * width * 8 + 0.5);
    return eighths == 0 && part > 0 ? 1 : eighths;
}

/* Gives the columns taken. */
static unsigned put_bar(const struct table *table, struct buf *out, const struct cell *cell, unsigned width)
{
    static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
    unsigned filled = bar_eighths(cell->part, width), taken = filled / 8;
    unsigned before = (bar_eighths(cell->before, width) + 4) / 8;
    put_colour(table, out, cell->colour);
    for (unsigned at = 0; at < filled / 8; at++) buf_str_put(out, STR("█"));
    if (filled % 8) buf_str_put(out, str_from(eighths[filled % 8])), taken++;
    put_plain(table, out, cell->colour);
    if (before <= taken) return taken;
    put_colour(table, out, DIM);
    for (; taken < before; taken++) buf_str_put(out, STR("░"));
    put_plain(table, out, DIM);
    return taken;
}

static unsigned put_text(const struct table *table, struct buf *out, const struct cell *cell, TableKind kind,
                         unsigned width)
{
    unsigned columns = text_columns(cell->text), taken = 0;
    if (kind == TABLE_NUMBER && columns < width) put_spaces(out, taken = width - columns);
    put_colour(table, out, cell->colour);
    taken += terminal_put(out, cell->text, 0, kind == TABLE_NUMBER ? 0 : width);
    put_plain(table, out, cell->colour);
    return taken;
}

/* Padding is put before the next cell only, so no line ends in spaces. */
static void put_row(const struct table *table, struct buf *out, const struct cell *cells, unsigned count,
                    const unsigned *widths)
{
    unsigned owed = 0;
    for (unsigned at = 0; at < count; at++) {
        bool is_bar = table->columns[at].kind == TABLE_BAR && !cells[at].text.len;
        bool is_empty = is_bar ? cells[at].part <= 0 && bar_eighths(cells[at].before, widths[at]) < 4
                               : cells[at].text.len == 0;
        unsigned taken = 0;
        if (!is_empty) {
            put_spaces(out, owed);
            owed = 0;
            taken = is_bar ? put_bar(table, out, &cells[at], widths[at])
                           : put_text(table, out, &cells[at], table->columns[at].kind, widths[at]);
        }
        owed += (taken < widths[at] ? widths[at] - taken : 0) + GAP;
    }
    buf_char(out, '\n');
}

void table_write(const struct table *table, struct buf *out)
{
    unsigned widths[TABLE_CELLS_MAX];
    struct cell titles[TABLE_CELLS_MAX] = { 0 };
    measure(table, widths);
    fit(table, widths);
    for (unsigned at = 0; at < table->column_count; at++)
        titles[at] = (struct cell){ .text = table->columns[at].title, .colour = DIM };
    if (!table->has_no_titles) put_row(table, out, titles, table->column_count, widths);
    for (const struct table_row *row = table->first; row; row = row->next)
        put_row(table, out, row->cells, row->count, widths);
}

/* ---- Words ---- */

Str spark_text(const double *values, size_t count, double most, Arena *arena)
{
    static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    char *bytes = arena_bytes(arena, count * 3 + 1), *at = bytes;
    for (size_t value = 0; value < count; value++) {
        double part = most > 0 && values[value] > 0 ? values[value] / most : 0;
        int level = part >= 1 ? 7 : (int)(part * 8);
        const char *block = part > 0 ? blocks[level] : " ";
        size_t length = strlen(block);
        memcpy(at, block, length);
        at += length;
    }
    return str_of(bytes, (size_t)(at - bytes));
}

Str share_text(double share, Arena *arena)
{
    double percent = share * 100;
    if (percent > 0 && percent < 0.1) return STR("<0.1%");
    if (percent > 99.9 && percent < 100) return STR(">99.9%");
    return arena_printf(arena, percent >= 100 || percent <= 0 ? "%.0f%%" : "%.1f%%", percent);
}

Str duration_text(Millis duration_ms, Arena *arena)
{
    static const struct { Millis ms; const char *name; } units[] = {
        { DAY_MS, "d" }, { HOUR_MS, "h" }, { MINUTE_MS, "min" }, { SECOND_MS, "s" },
    };
    for (size_t at = 0; at < countof(units); at++) {
        if (duration_ms < units[at].ms) continue;
        Millis whole = duration_ms / units[at].ms, rest = duration_ms % units[at].ms;
        bool has_second = at + 1 < countof(units) && !(at == 0 && whole >= 30) && rest / units[at + 1].ms > 0;
        if (!has_second) return arena_printf(arena, "%lld %s", (long long)whole, units[at].name);
        return arena_printf(arena, "%lld %s %lld %s", (long long)whole, units[at].name,
                            (long long)(rest / units[at + 1].ms), units[at + 1].name);
    }
    return arena_printf(arena, "%lld ms", (long long)duration_ms);
}

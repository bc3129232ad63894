/* terminal: columns, colours, progress. Widths come from a short table of wide and zero-width ranges
 * rather than from wcwidth, whose answer hangs on the locale of the moment. */
#include "terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR_COLUMNS = 24, DRAW_NS = 100000000 };

Terminal terminal_of(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR"), *kind = getenv("TERM");
    Terminal terminal = { .stream = stream, .is_terminal = isatty(fileno(stream)) };
    terminal.has_colours = terminal.is_terminal && !(no_colour && no_colour[0]) && !(kind && !strcmp(kind, "dumb"));
    terminal.width = terminal_width(&terminal);
    return terminal;
}

unsigned terminal_width(const Terminal *terminal)
{
    struct winsize size;
    if (!terminal->is_terminal) return 0;
    if (ioctl(fileno(terminal->stream), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) return size.ws_col;
    return 80;
}

const char *terminal_start(const Terminal *terminal, Colour colour)
{
    static const char *const codes[] = {
        [PLAIN] = "", [BOLD] = "\033[1m", [DIM] = "\033[2m", [RED] = "\033[31m", [GREEN] = "\033[32m",
        [YELLOW] = "\033[33m", [BLUE] = "\033[34m", [MAGENTA] = "\033[35m", [CYAN] = "\033[36m",
    };
    return terminal->has_colours ? codes[colour] : "";
}

const char *terminal_end(const Terminal *terminal, Colour colour)
{
    return terminal->has_colours && colour != PLAIN ? "\033[0m" : "";
}

/* ---- Columns ---- */

static bool is_within(uint32_t point, const uint32_t (*ranges)[2], size_t count)
{
    for (size_t at = 0; at < count; at++)
        if (point >= ranges[at][0] && point <= ranges[at][1]) return true;
    return false;
}

static unsigned point_columns(uint32_t point)
{
    static const uint32_t wide[][2] = {
        { 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0xa4cf }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },
        { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff },
        { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
    };
    static const uint32_t none[][2] = {
        { 0x300, 0x36f }, { 0x483, 0x489 }, { 0x591, 0x5bd }, { 0x610, 0x61a }, { 0x64b, 0x65f }, { 0x200b, 0x200d },
        { 0x20d0, 0x20f0 }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xe0100, 0xe01ef },
    };
    if (point < 0x300) return 1;
    return is_within(point, none, countof(none)) ? 0 : is_within(point, wide, countof(wide)) ? 2 : 1;
}

/* Control characters, and those that nobody sees or that turn the direction of the text. */
static bool is_harmful(struct unseen *state, uint32_t point)
{
    return unseen_next(state, point) || point_is_control(point) || point == POINT_NONE
        || (point >= 0x2028 && point <= 0x2029);
}

unsigned text_columns(Str s)
{
    unsigned columns = 0;
    struct unseen unseen = { 0 };
    for (size_t at = 0, bytes; at < s.len; at += bytes) {
        uint32_t point = point_decode(str_slice(s, at, s.len), &bytes);
        columns += is_harmful(&unseen, point) ? 1 : point_columns(point);
    }
    return columns;
}

unsigned terminal_put(struct buf *buf, Str s, unsigned least, unsigned most)
{
    unsigned columns = 0;
    bool is_cut = most > 0 && text_columns(s) > most;
    struct unseen unseen = { 0 };
    for (size_t at = 0, bytes; at < s.len; at += bytes) {
        Str rest = str_slice(s, at, s.len);
        uint32_t point = point_decode(rest, &bytes);
        bool harms = is_harmful(&unseen, point);
        unsigned more = harms ? 1 : point_columns(point);
        if (is_cut && columns + more + 1 > most) break;
        if (harms) buf_char(buf, '?');
        else buf_put(buf, rest.bytes, bytes);
        columns += more;
    }
    if (is_cut) buf_str_put(buf, STR("…")), columns++;
    for (; columns < least; columns++) buf_char(buf, ' ');
    return columns;
}

void terminal_make_visible(struct buf *buf, Str text)
{
    struct unseen unseen = { 0 };
    for (size_t at = 0, bytes; at < text.len; at += bytes) {
        Str rest = str_slice(text, at, text.len);
        uint32_t point = point_decode(rest, &bytes);
        bool is_fine = !is_harmful(&unseen, point) || point == '\n' || point == '\t';
        bool is_line_end = point == '\r' && rest.len > 1 && rest.bytes[1] == '\n';       /* of CSV */
        if (is_fine || is_line_end) buf_put(buf, rest.bytes, bytes);
        else if (point < 0x10000) buf_printf(buf, "\\u%04x", point);
        else buf_printf(buf, "\\u%04x\\u%04x", 0xd7c0 + (point >> 10), 0xdc00 + (point & 0x3ff));
    }
}

void terminal_write(FILE *stream, Str text)
{
    struct buf visible;
    buf_init(&visible, 12 * text.len + 1);
    bool is_shown = isatty(fileno(stream));
    if (is_shown) terminal_make_visible(&visible, text);
    Str out = is_shown && buf_ok(&visible) ? buf_str(&visible) : is_shown ? (Str){ 0 } : text;
    if (out.len) fwrite(out.bytes, 1, out.len, stream);
    buf_done(&visible);
}

/* ---- Numbers ---- */

const char *count_text(uint64_t count, char *text, size_t size)
{
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, count);
    size_t to = 0;
    for (int at = 0; at < len && to + 2 < size; at++) {
        if (at && (len - at) % 3 == 0) text[to++] = ',';
        text[to++] = digits[at];
    }
    text[to] = 0;
    return text;
}

const char *bytes_text(uint64_t bytes, char *text, size_t size)
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < countof(units)) value /= 1000, unit++;
    snprintf(text, size, unit == 0 ? "%.0f %s" : value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}

/* ---- Progress ---- */

void progress_init(struct progress *progress, struct clock *clock, const char *what)
{
    *progress = (struct progress){ .terminal = terminal_of(stderr), .clock = clock, .what = what };
    progress->started_ns = clock_monotonic_ns(clock);
}

static void draw(struct progress *progress, uint64_t done, uint64_t all, Str note, bool has_sizes)
{
    char line[512], done_text[32], all_text[32];
    double seconds = (double)(progress->drawn_ns - progress->started_ns) / 1e9;
    struct buf buf;
    buf_init_fixed(&buf, line, sizeof line);
    buf_printf(&buf, "\r\033[K%s ", progress->what);
    if (all) {
        double part = done < all ? (double)done / (double)all : 1.0;
        buf_char(&buf, '[');
        for (int at = 0; at < BAR_COLUMNS; at++)
            buf_str_put(&buf, at < (int)(part * BAR_COLUMNS) ? STR("=") : STR(" "));
        buf_printf(&buf, "] %3.0f%%", part * 100);
        if (has_sizes)
            buf_printf(&buf, "  %s of %s", bytes_text(done, done_text, sizeof done_text),
                       bytes_text(all, all_text, sizeof all_text));
        if (part > 0.01 && part < 1 && seconds > 1) {
            double left = seconds / part - seconds;
            buf_printf(&buf, left < 90 ? "  %.0f s left" : "  %.0f min left", left < 90 ? left : left / 60);
        }
    } else {
        buf_printf(&buf, "%s", bytes_text(done, done_text, sizeof done_text));
    }
    if (note.len) buf_printf(&buf, "  %.*s", STR_FORMAT(note));
    fwrite(buf.bytes, 1, buf.len, stderr);
    fflush(stderr);
    progress->is_drawn = true;
}

static bool wants_drawing(struct progress *progress)
{
    if (!progress->terminal.is_terminal) return false;
    int64_t now_ns = clock_monotonic_ns(progress->clock);
    if (progress->is_drawn && now_ns - progress->drawn_ns < DRAW_NS) return false;
    progress->drawn_ns = now_ns;
    return true;
}

void progress_show(struct progress *progress, uint64_t done, uint64_t all, Str note)
{
    if (wants_drawing(progress)) draw(progress, done, all, note, true);
}

void progress_show_share(struct progress *progress, uint64_t done, uint64_t all, Str note)
{
    if (wants_drawing(progress)) draw(progress, done, all, note, false);
}

void progress_note(struct progress *progress, Str note)
{
    if (!wants_drawing(progress)) return;
    fprintf(stderr, "\r\033[K%s  %.*s", progress->what, STR_FORMAT(note));
    fflush(stderr);
    progress->is_drawn = true;
}

void progress_clear(struct progress *progress)
{
    if (!progress->is_drawn) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->is_drawn = false;
}

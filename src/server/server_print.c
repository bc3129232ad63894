/* server_print: the terminal of `onym serve`. A busy server writes more than a person reads: when the
 * printer is too far behind the journal it jumps to the end and says how much it left out. */
#include "server_print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"
#include "terminal/terminal.h"
#include "api/api.h"

enum { BEHIND_BYTES = 4 * 1024 * 1024, LINES_A_STEP = 2000, FOLLOW_MS = 500, NOTE_BYTES = 16 * 1024,
       LATELY = 8192 };

struct printer {
    struct journal *journal;
    struct journal_reader *reader;
    JournalPos at;
    struct event_line *line;
    struct visitors *visitors;
    Terminal terminal;
    struct buf note, shown;
    uint64_t lately[LATELY];         /* hashes of messageIds; the hash gives the place */
    Engine engine;
};

void print_snippet(const struct config *config, uint16_t port)
{
    char room[1024];
    Arena arena = { room, room + sizeof room };
    Str base = config->public_url.len ? config->public_url : address_url(config, port, &arena);
    Str own = config->sources[0].own_path;
    printf("  <script>\n%.*s\n  analytics._cdn = '%.*s'\n", STR_FORMAT(api_snippet()), STR_FORMAT(base));
    if (own.len) printf("  analytics._own = '%.*s'\n", STR_FORMAT(own));
    printf("  analytics.load('%.*s')\n  analytics.page()\n  </script>\n", STR_FORMAT(config->sources[0].write_key));
}

/* Shown only where a person reads it, and never in a log. */
static void print_page(const char *base, Str link)
{
    if (!link.len || !isatty(STDOUT_FILENO)) return;
    size_t len = strlen(base);
    while (len && base[len - 1] == '/') len--;
    printf("dashboard   %.*s/#link=%.*s\n            (signs you in, once, within a minute; later: %s ui)\n",
           (int)len, base, STR_FORMAT(link), program_invocation_name);
}

void print_welcome(const struct config *config, uint16_t port, uint16_t ui_port, Str link)
{
    char base[512], ui_base[512], room[2048];
    Arena arena = { room, room + sizeof room };
    snprintf(base, sizeof base, "%.*s", STR_FORMAT(address_url(config, port, &arena)));
    snprintf(ui_base, sizeof ui_base, "%.*s", STR_FORMAT(address_ui_url(config, ui_port, &arena)));
    if (ui_port != port) printf("dashboard and API on %s\n", ui_base);
    printf("listening on %s\n", base);
    if (isatty(STDOUT_FILENO) && config->source_count > 0) {
        Str write_key = config->sources[0].write_key;
        if (config->public_url.len) snprintf(base, sizeof base, "%.*s", STR_FORMAT(config->public_url));
        printf("\nwrite key   %.*s   (source %.*s)\n", STR_FORMAT(write_key), STR_FORMAT(config->sources[0].name));
        print_page(ui_port == port ? base : ui_base, link);
        printf("\nPut this into a page's <head>:\n\n");
        print_snippet(config, port);
        printf("\nTry it:\n\n  curl %s/v1/track -u '%.*s:' -d "
               "'{\"userId\":\"12345\",\"event\":\"Account Created\",\"properties\":{\"plan\":\"Free\"}}'\n\n"
               "Events, as they arrive (Ctrl-C stops):\n\n", base, STR_FORMAT(write_key));
    }
    fflush(stdout);
}

void print_demo_welcome(const struct config *config, uint16_t port, uint16_t site_port, Str link)
{
    char room[1024];
    Arena arena = { room, room + sizeof room };
    const char *base = arena_copy(&arena, address_url(config, port, &arena)).bytes;
    printf("listening on %s\n", base);
    print_page(base, link);
    printf("the example site: http://localhost:%u\n\n"
           "  1. Open it and play a song: you are an anonymous visitor.\n"
           "  2. Sign up, by the form or by way of Faceplace: you become user 12345.\n"
           "     The switches at the foot of each page make that hard: redirect at once, server down, ad blocker.\n"
           "  3. Ask who that is:  %s person 12345 --data %.*s\n\n"
           "Events, as they arrive (Ctrl-C stops):\n\n", site_port, program_invocation_name,
           STR_FORMAT(config->data));
    fflush(stdout);
}

void print_farewell(const struct config *config, uint64_t accepted, bool is_demo)
{
    if (!is_demo && !isatty(STDOUT_FILENO)) return;
    printf("\nStopped. %" PRIu64 " event%s of this run %s kept in %.*s\n", accepted, accepted == 1 ? "" : "s",
           accepted == 1 ? "is" : "are", STR_FORMAT(config->data));
    if (is_demo)
        printf("  %s person 12345 --data %.*s    tells of them, without the server\n  rm -r %.*s    removes them\n",
               program_invocation_name, STR_FORMAT(config->data), STR_FORMAT(config->data));
    else printf("The next start with the same --data goes on from there.\n");
    fflush(stdout);
}

/* When a visitor leaves a page, the browser library often does not learn that its call has arrived, and the next page
 * sends it again. Answers count it once, so this shows it once. */
static bool is_repeat(struct printer *printer, Str record)
{
    Event event;
    if (record_kind(record) != RECORD_EVENT || event_decode(record, &event, NULL)) return false;
    uint64_t hash = hash_64(event.message_id, 0), *slot = &printer->lately[hash % LATELY];
    bool is_same = *slot == hash;
    *slot = hash;
    return is_same;
}

static void print_note(struct printer *printer, Str record)
{
    buf_clear(&printer->note);
    buf_clear(&printer->shown);
    if (!visitors_note(printer->visitors, record, &printer->note)) return;
    (void)terminal_put(&printer->shown, buf_str(&printer->note), 0, terminal_width(&printer->terminal));
    printf("%s%.*s%s\n", terminal_start(&printer->terminal, GREEN), STR_FORMAT(buf_str(&printer->shown)),
           terminal_end(&printer->terminal, GREEN));
}

/* Prints a bounded number of lines. False if there is nothing more. */
static bool print_some(struct printer *printer)
{
    JournalRecord record;
    for (int line = 0; line < LINES_A_STEP; line++) {
        if (journal_read(printer->reader, &record, NULL)) return false;
        printer->at = record.next;
        if (is_repeat(printer, record.bytes)) continue;
        event_line_print(printer->line, record.bytes, stdout);
        print_note(printer, record.bytes);
    }
    return true;
}

static void printer_jump(struct printer *printer)
{
    JournalPos end = journal_end(printer->journal);
    if (journal_distance(printer->at, end) < BEHIND_BYTES) return;
    struct journal_reader *reader;
    if (journal_reader_open(printer->journal, end, &reader, NULL)) return;
    printf("  ... busy: %.1f MB of events not shown here; onym tail --from shows them all\n",
           (double)journal_distance(printer->at, end) / 1e6);
    journal_reader_close(printer->reader);
    printer->reader = reader;
    printer->at = end;
}

static void printer_step(void *context, bool is_stopping)
{
    struct printer *printer = context;
    if (!is_stopping) (void)journal_wait_durable(printer->journal, printer->at, FOLLOW_MS);
    while (print_some(printer) && !is_stopping) printer_jump(printer);
    fflush(stdout);
}

Status printer_open(struct journal *journal, bool always, struct printer **ret, Err *err)
{
    *ret = NULL;
    if (!always && !isatty(STDOUT_FILENO)) return OK;
    struct printer *printer = calloc(1, sizeof *printer);
    if (!printer) return err_set(err, ERR_IO, "printer: no memory");
    buf_init(&printer->note, NOTE_BYTES);
    buf_init(&printer->shown, NOTE_BYTES);
    printer->terminal = terminal_of(stdout);
    printer->journal = journal;
    printer->at = journal_end(journal);
    printer->engine = (Engine){ "printer", printer_step, NULL, NULL, printer };
    Status s = journal_reader_open(journal, printer->at, &printer->reader, err);
    if (!s) s = event_line_open(stdout, &printer->line, err);
    if (!s && !(printer->visitors = visitors_open())) s = err_set(err, ERR_IO, "printer: no memory");
    if (s) {
        printer_close(printer);
        return s;
    }
    *ret = printer;
    return OK;
}

void printer_close(struct printer *printer)
{
    if (!printer) return;
    journal_reader_close(printer->reader);
    event_line_close(printer->line);
    visitors_close(printer->visitors);
    buf_done(&printer->note);
    buf_done(&printer->shown);
    free(printer);
}

const Engine *printer_engine(struct printer *printer) { return &printer->engine; }

/* feed: lines that this program makes itself, in batches into the sink of an import. Since they can be made again,
 * nothing is remembered of how far it came. */
#include "tools.h"
#include "tools_import.h"
#include "terminal/terminal.h"

/* What is there already cannot be told from what is made up, ever after. A server elsewhere was named on purpose. */
static Status check_empty(const struct config *config, Arena *arena, Err *err)
{
    struct journal *journal;
    if (open_journal_to_read(config, arena, &journal, NULL)) return OK;            /* there is none yet */
    bool is_empty = journal_end(journal) == journal_first(journal);
    journal_close(journal);
    if (is_empty) return OK;
    return err_set(err, ERR_CONFLICT, "there are events in %.*s already, and what is added to them stays; --add adds "
                   "it all the same, --into names another data directory", STR_FORMAT(config->data));
}

static Status send(struct import_sink *sink, struct buf *lines, uint64_t first, ToolsFed *fed, Err *err)
{
    ImportSent sent = { 0 };
    check(buf_ok(lines));
    Status s = lines->len ? sink->send(sink, buf_str(lines), first, &sent, err) : OK;
    fed->accepted += sent.accepted;
    fed->rejected += sent.rejected;
    buf_clear(lines);
    return s;
}

static Status send_all(struct import_sink *sink, const ToolsFeed *feed, ToolsFed *fed, Err *err)
{
    struct buf lines;
    struct progress progress;
    Status s = OK;
    uint64_t first = 0;
    buf_init(&lines, LIMIT_BODY_BYTES);
    progress_init(&progress, os_clock(), "filling");
    for (uint64_t number = 0; number < feed->count && !s; number++) {
        bool is_full = lines.len + LIMIT_MESSAGE_BYTES > IMPORT_BATCH_BYTES || number - first == IMPORT_BATCH_LINES;
        if (is_full) {
            s = send(sink, &lines, first + 1, fed, err);
            first = number;
            progress_show_share(&progress, number, feed->count, STR(""));
        }
        feed->write(feed->context, number, &lines);
        buf_char(&lines, '\n');
    }
    if (!s) s = send(sink, &lines, first + 1, fed, err);
    progress_clear(&progress);
    buf_done(&lines);
    return s;
}

Status tools_feed(const struct config *config, const char *url, const ToolsFeed *feed, Arena *arena, ToolsFed *ret,
                  Err *err)
{
    struct import_sink *sink;
    *ret = (ToolsFed){ 0 };
    Status s = feed->is_added || url ? OK : check_empty(config, arena, err);
    if (!s) s = import_sink_open(config, NULL, url, arena, &sink, err);
    if (s) return s;
    s = send_all(sink, feed, ret, err);
    sink->close(sink);
    return s;
}

/* site_findings: the names, the list in its order, and what is found of the page itself. */
#include "site.h"

#include <stdarg.h>
#include <stdio.h>

enum { GOES_ON_PAGES = 6 };            /* more than a log-in by way of another site takes */

static const struct { const char *word, *check; SiteLevel level; } rows[] = {
#define FINDING(name, check, level) { #name, check, level },
#include "site_findings.tbl.h"
#undef FINDING
};

const char *site_finding_word(SiteFindingName name) { return rows[name].word; }
const char *site_finding_check(SiteFindingName name) { return rows[name].check; }
SiteLevel site_finding_level(SiteFindingName name) { return rows[name].level; }

void site_found(struct site_findings *findings, SiteFindingName name, Str mend, const char *format, ...)
{
    char text[3 * SITE_TEXT_BYTES];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (findings->count == SITE_FINDINGS) return;
    findings->items[findings->count++]
        = (SiteFinding){ name, arena_copy(findings->arena, str_from(text)), arena_copy(findings->arena, mend) };
    findings->error_count += rows[name].level == SITE_ERROR;
    findings->warning_count += rows[name].level == SITE_WARNING;
}

/* Into the order of the table; those of one name stay as they were found. */
static void sort(struct site_findings *findings)
{
    for (size_t at = 1; at < findings->count; at++) {
        SiteFinding moved = findings->items[at];
        size_t to = at;
        for (; to > 0 && findings->items[to - 1].name > moved.name; to--) findings->items[to] = findings->items[to - 1];
        findings->items[to] = moved;
    }
}

/* ---- The page ---- */

static void judge_status(const SitePage *page, Str shown, struct site_findings *findings)
{
    Str mend = page->status == 401 ? STR("put name and password into the address: http://NAME:PASSWORD@host/")
             : page->status == 403 || page->status == 429
             ? STR("the site may refuse browsers without a window: --user-agent 'Mozilla/5.0 …' names another one")
             : page->status == 404 ? STR("check the address")
             : STR("look at the site's own log; all that follows is about the page that came with this answer");
    site_found(findings, FINDING_page_status, mend, "%.*s answers HTTP %d%s.", STR_FORMAT(shown), page->status,
               page->status == 401 ? ": it wants a name and a password" : "");
}

void site_judge_page(const struct site_facts *facts, struct site_findings *findings)
{
    Arena *arena = findings->arena;
    const SitePage *page = facts->page_count ? &facts->pages[facts->page_count - 1] : NULL;
    if (!page) return;
    Str shown = site_url_shown(page->url, arena), asked = site_url_shown(facts->asked_url, arena);
    bool is_html = !page->mime.len || str_contains(page->mime, STR("html")) || str_contains(page->mime, STR("xml"));
    bool is_on = facts->page_count >= GOES_ON_PAGES || facts->pages_left_out;
    size_t count = findings->count;
    if (page->status >= 400) judge_status(page, shown, findings);
    if (page->status < 400 && (page->is_download || !is_html))
        site_found(findings, FINDING_page_not_html, STR("check a page of the site, not a file of it"),
                   "%.*s is no web page: %s%.*s.", STR_FORMAT(shown), page->is_download ? "a download, " : "",
                   STR_FORMAT(page->mime));
    if (facts->has_crashed)
        site_found(findings, FINDING_page_crashed, STR("try it in a browser; the page may need too much memory"),
                   "The browser's tab crashed on %.*s.", STR_FORMAT(shown));
    if (is_on)
        site_found(findings, FINDING_page_goes_on,
                   STR("end the loop: find the script or the refresh that sends visitors on"),
                   "The page sends the browser on again and again: %zu pages in this time.",
                   facts->page_count + (size_t)facts->pages_left_out);
    if (facts->dialog_count)
        site_found(findings, FINDING_page_dialogs, STR("call no alert, confirm or prompt while the page starts"),
                   "The page opened %" PRIu64 " dialog%s (alert, confirm, prompt), which stop%s all scripts until the "
                   "visitor answers.", facts->dialog_count, facts->dialog_count == 1 ? "" : "s",
                   facts->dialog_count == 1 ? "s" : "");
    if (page->is_committed && page->loaded_s == 0 && is_html && !is_on)
        site_found(findings, FINDING_page_slow,
                   STR("--timeout 30 waits longer; find out which file of the page is slow"),
                   "The page was still loading at the end; calls that it makes later were not seen.");
    if (page->is_committed && is_html && !facts->probe.is_read && !facts->has_crashed)
        site_found(findings, FINDING_page_unread, STR("--timeout 30 waits longer; look for a script that never ends"),
                   "The page did not answer at the end (a script that runs without a pause, or a dialog), so its own "
                   "objects were not looked at.");
    if (findings->count > count) return;
    bool is_moved = !str_equal(shown, asked) && !str_equal(str_slice(shown, 0, asked.len), asked);
    site_found(findings, FINDING_page_fine, (Str){ 0 }, "HTTP %d%s%.*s, loaded after %.1f s.", page->status,
               is_moved ? ", led on to " : "", STR_FORMAT(is_moved ? shown : (Str){ 0 }), page->loaded_s);
}

/* ---- The whole ---- */

void site_judge(const struct site_facts *facts, Arena *arena, struct site_findings *ret)
{
    *ret = (struct site_findings){ .arena = arena };
    site_judge_page(facts, ret);
    const SitePage *page = facts->page_count ? &facts->pages[facts->page_count - 1] : NULL;
    bool is_page = page && (page->is_committed || page->policy_count) && !page->is_download
        && (!page->mime.len || str_contains(page->mime, STR("html")) || str_contains(page->mime, STR("xml")));
    if (is_page) {
        site_judge_library(facts, ret);
        site_judge_calls(facts, ret);
        site_judge_visitor(facts, ret);
    }
    sort(ret);
}

/* site_visitor: what stands between a visitor and their id: consent, and the cookies that carry it. */
#include "site.h"

enum { SHORT_S = 30 * DAY_MS / SECOND_MS };

static void judge_consent(const struct site_facts *facts, struct site_findings *findings)
{
    const SiteProbe *probe = &facts->probe;
    size_t sent = 0;
    for (size_t at = 0; at < facts->message_count; at++)
        sent += !site_is_elsewhere(facts->calls[facts->messages[at].call].url);
    Str tool = probe->consent_count ? probe->consents[0] : (Str){ 0 };
    if (tool.len && sent)
        site_found(findings, FINDING_consent_ignored,
                   STR("if visitors must be asked first: analytics.load(key, { consent: false }) "
                       "and the small file for the tool (docs/browser.md)"),
                   "%.*s is there, and calls were sent before the visitor had chosen.", STR_FORMAT(tool));
    else if (tool.len)
        site_found(findings, FINDING_consent_holds, (Str){ 0 }, "%.*s is there, and calls are held until the "
                   "visitor has chosen.", STR_FORMAT(tool));
    else if (probe->holds_consent && !sent)
        site_found(findings, FINDING_consent_unasked, STR("call analytics.consent(true) on every page where the "
                                                          "visitor has "
                   "agreed, or leave `consent: false` out"), "The library is loaded with consent: false, and no "
                       "consent tool "
                   "that this command knows is on the page: calls wait until the page says consent(true).");
    else site_found(findings, FINDING_consent_none, (Str){ 0 }, "No consent tool was found; nothing is held.");
}

/* ---- Cookies ---- */

static Str without_dot(Str domain) { return str_starts(domain, STR(".")) ? str_slice(domain, 1, domain.len) : domain; }

/* There are two cookies of one name. Which of the two a page reads is a matter of chance. */
static bool judge_shadowed(const struct site_facts *facts, struct site_findings *findings)
{
    for (size_t at = 0; at < facts->cookie_count; at++)
        for (size_t other = 0; other < at; other++) {
            const SiteCookie *one = &facts->cookies[at], *before = &facts->cookies[other];
            if (!str_equal(one->name, before->name)) continue;
            site_found(findings, FINDING_cookies_shadowed,
                       STR("let only one side write it, on one domain and path; the library removes those that it "
                           "can reach"),
                       "%.*s is there twice, for %.*s%.*s and for %.*s%.*s: "
                           "by chance a visitor seems to be somebody else.",
                       STR_FORMAT(one->name), STR_FORMAT(before->domain), STR_FORMAT(before->path),
                       STR_FORMAT(one->domain), STR_FORMAT(one->path));
            return true;
        }
    return false;
}

static bool judge_cookie(const struct site_facts *facts, const SiteCookie *cookie, struct site_findings *findings)
{
    Str widest = facts->probe.widest, domain = without_dot(cookie->domain);
    bool is_host_only = !str_starts(cookie->domain, STR("."));
    if (cookie->is_http_only)
        site_found(findings, FINDING_cookies_http_only, STR("set it without HttpOnly: the library reads it"),
                   "%.*s is HttpOnly, so the library cannot read it: every page counts a new visitor.",
                   STR_FORMAT(cookie->name));
    else if (!str_equal(cookie->path, STR("/")))
        site_found(findings, FINDING_cookies_path, STR("Path=/, or the option cookie: { path: '/' }"),
                   "%.*s is for %.*s only: other pages of the site know another visitor.", STR_FORMAT(cookie->name),
                   STR_FORMAT(cookie->path));
    else if (widest.len && is_host_only)
        site_found(findings, FINDING_cookies_host_only,
                   arena_printf(findings->arena, "set it with Domain=%.*s, or leave it to the library",
                                STR_FORMAT(widest)),
                   "%.*s is for the host %.*s alone: a visitor who goes on to another host of %.*s is a new one.",
                   STR_FORMAT(cookie->name), STR_FORMAT(domain), STR_FORMAT(widest));
    else if (widest.len && !str_equal_no_case(domain, widest))
        site_found(findings, FINDING_cookies_narrow,
                   arena_printf(findings->arena, "Domain=%.*s, or leave the option cookie.domain out",
                                STR_FORMAT(widest)),
                   "%.*s is for %.*s and below: a visitor who goes on to another host of %.*s is a new one.",
                   STR_FORMAT(cookie->name), STR_FORMAT(domain), STR_FORMAT(widest));
    else if (cookie->is_session || cookie->expires_s < SHORT_S)
        site_found(findings, FINDING_cookies_session, STR("give it a year (Max-Age=31536000), or leave it to the "
                                                          "library"),
                   "%.*s ends %s: who comes back later is a new visitor.", STR_FORMAT(cookie->name),
                   cookie->is_session ? "with the browser" : "in less than 30 days");
    else return false;
    return true;
}

static void judge_cookies(const struct site_facts *facts, struct site_findings *findings)
{
    bool is_bad = judge_shadowed(facts, findings);
    if (facts->refused_cookie_count) {
        is_bad = true;
        site_found(findings, FINDING_cookies_refused, STR("set it on the site's own domain (the Domain must be the "
                                                          "host or "
                   "above it, and belong to the site alone), and with Secure where SameSite=None"),
                   "The browser refuses a cookie that the server sets: %.*s.", STR_FORMAT(facts->refused_cookies[0]));
    }
    for (size_t at = 0; at < facts->cookie_count && !is_bad; at++) is_bad = judge_cookie(facts, &facts->cookies[at],
                                                                                         findings);
    if (is_bad) return;
    if (!facts->cookie_count) {
        site_found(findings, FINDING_cookies_none, (Str){ 0 }, "No ajs_* cookie was set.");
        return;
    }
    Str widest = facts->probe.widest;
    if (widest.len)
        site_found(findings, FINDING_cookies_fine, (Str){ 0 }, "%.*s is for %.*s and every host below it.",
                   STR_FORMAT(facts->cookies[0].name), STR_FORMAT(widest));
    else
        site_found(findings, FINDING_cookies_fine, (Str){ 0 }, "%.*s is for this host, which is no part of a wider "
                   "domain.", STR_FORMAT(facts->cookies[0].name));
}

void site_judge_visitor(const struct site_facts *facts, struct site_findings *findings)
{
    const SiteProbe *probe = &facts->probe;
    bool is_there = facts->call_count || site_library(facts) || probe->kind != SITE_NO_LIBRARY;
    if (!is_there) return;
    judge_consent(facts, findings);
    judge_cookies(facts, findings);
}

/* site_visit: one visit of a page in a browser of its own, from its start to its end; what is seen becomes facts. */
#ifndef ONYM_SITE_SITE_VISIT_H
#define ONYM_SITE_SITE_VISIT_H

typedef struct SiteVisit {
    Str url;
    const char *user_agent;                /* NULL: the browser's own */
    int64_t until_ns;                      /* of the monotonic clock: the visit is over, the browser gone */
    Millis wait_ms;                        /* how long to go on looking after the page has loaded */
    bool (*is_interrupted)(void);
} SiteVisit;

/* OK: there was a page, whatever is wrong with it. ERR_IO: it does not answer; ERR_CLOSED: interrupted;
 * ERR_NOT_FOUND, ERR_UNSUPPORTED: there is no browser, or it does not run. */
Status MUST site_visit(const SiteVisit *visit, struct site_facts *facts, Arena *arena, Err *err);

#endif

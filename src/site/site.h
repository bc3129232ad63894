/* site: what `onym check-site` sees of a page, and what it makes of it. Three steps that know nothing of each other:
 *
 *     site_watch_*   messages of Chromium (site_devtools.h)       -> facts
 *     site_ask       the server, asked from here (check-site)     -> facts
 *     site_judge     facts                                        -> findings: a pure function
 *
 * Facts are what a page, Chromium or a server said: hostile, bounded, and never markup. Findings are sentences, each
 * with a name (site_findings.tbl.h) that docs/check-site.md explains and tests go by.
 */
#ifndef ONYM_SITE_SITE_H
#define ONYM_SITE_SITE_H

#include "event/event.h"
#include "os/os.h"

enum {
    SITE_EARLY = 32,                       /* answers that came before their request */
    SITE_TEXT_BYTES = 2048,                /* a text of a page: what is longer is cut */
    SITE_SCRIPTS = 512, SITE_CALLS = 256, SITE_MESSAGES = 512, SITE_PAGES = 64, SITE_COOKIES = 64, SITE_LINES = 16,
    SITE_POLICIES = 16, SITE_QUEUED = 64, SITE_NAMES = 24, SITE_BLOCKS = 64, SITE_FINDINGS = 96,
};

/* ---- Addresses ---- */

typedef struct SiteUrl {
    Str scheme, host, path, query;         /* host without brackets, as written; path at least "/" */
    uint32_t port;                         /* the scheme's own where none is given */
} SiteUrl;

/* http and https only. False: it is none, and *ret_why says so in words (may be NULL). */
bool site_url_parse(Str text, SiteUrl *ret, const char **ret_why);
bool site_url_same_origin(Str one, Str other);
/* "https://example.com:8443", without a user and a password; empty if the text is no URL. In the arena. */
Str site_url_origin(Str text, Arena *arena);
/* The whole of it without a user and a password: what may be shown. */
Str site_url_shown(Str text, Arena *arena);

/* ---- Content Security Policies (site_policy) ---- */

/* Does the policy (one or several, comma between) let a page load the URL as `directive` ("script-src", "connect-src")?
 * Fallbacks are followed (script-src-elem, script-src, default-src). *ret_directive: the directive that decides. */
bool site_policy_allows(Str policy, Str directive, Str url, Str page_url, Str *ret_directive);

/* ---- Facts ---- */

typedef struct SiteRequest {
    Str id;                                /* Chromium's */
    Str url, method;
    unsigned page;                         /* which of the pages made it */
    bool is_script, is_beacon, is_collect, is_settings, wants_body;
    int status;                            /* 0: no answer */
    Str mime;
    Str failed;                            /* "net::ERR_…"; empty */
    Str blocked;                           /* Chromium's word: "csp", "mixed-content", … */
    Str cors;                              /* Chromium's word: "MissingAllowOriginHeader" */
    Str location;                          /* where it was led to first */
    int redirect_status;
    uint64_t bytes;                        /* over the network */
    double asked_s, answered_s;            /* since the first navigation; answered 0: never */
    Str write_key;
} SiteRequest;

typedef struct SiteMessage {
    Str type, event, message_id, user_id, anonymous_id, path, library, version;
    unsigned call, page;                   /* index of its SiteRequest */
} SiteMessage;

typedef struct SitePage {
    Str url, mime, loader;                 /* loader: Chromium's name for the document */
    int status;
    unsigned redirects;                    /* HTTP redirects that led here */
    Str policies[SITE_POLICIES], report_only, coep, coop;
    size_t policy_count;
    double began_s, parsed_s, loaded_s;    /* parsed, loaded 0: never */
    double began_at_s;                     /* of the wall clock; 0: not known */
    bool is_committed, is_download;
    /* When it was left: calls that its snippet still kept in memory. */
    Str queued[SITE_QUEUED];
    size_t queued_count;
    bool are_queued_kept;                  /* they are in the browser's storage, too */
} SitePage;

typedef struct SiteBlock {                 /* a Content Security Policy stopped it */
    Str url, directive, kind;
    bool is_report_only;
} SiteBlock;

typedef struct SiteCookie {
    Str name, domain, path, same_site;
    bool is_http_only, is_secure, is_session;
    double expires_s;                      /* from now */
} SiteCookie;

typedef enum SiteKind { SITE_NO_LIBRARY, SITE_ONYM, SITE_SEGMENT, SITE_RUDDERSTACK, SITE_OTHER_LIBRARY } SiteKind;

typedef struct SiteProbe {                 /* what the page's own objects say at the end */
    bool is_read;
    SiteKind kind;                         /* of window.analytics */
    bool has_analytics, is_stub, is_initialized, holds_consent, is_disabled;
    Str version, key, cdn, own_path;
    unsigned onym_snippets, segment_snippets, rudder_snippets, library_tags, frames_with_snippet;
    Str snippet_keys[SITE_NAMES];
    size_t snippet_key_count;
    Str widest;                            /* the widest domain that takes cookies; empty: the host alone */
    Str vendors[SITE_NAMES], consents[SITE_NAMES], meta_policies[SITE_POLICIES];
    size_t vendor_count, consent_count, meta_policy_count;
    Str queued[SITE_QUEUED];
    size_t queued_count;
    unsigned waiting;                      /* calls in the browser's storage */
    Str title;
} SiteProbe;

typedef enum SiteKey { KEY_NOT_ASKED, KEY_KNOWN, KEY_UNKNOWN, KEY_DISABLED, KEY_ORIGIN, KEY_NO_ONYM,
                       KEY_NO_ANSWER } SiteKey;
typedef enum SiteCollect {
    COLLECT_NOT_ASKED, COLLECT_FINE, COLLECT_HTML, COLLECT_REDIRECT, COLLECT_REFUSED, COLLECT_OTHER, COLLECT_NO_ANSWER
} SiteCollect;

struct site_facts {
    Str asked_url;
    Str wanted_key, server;                /* of the command line or the configuration; may be empty */
    Str navigation_error;                  /* "net::ERR_NAME_NOT_RESOLVED": there is no page */
    SitePage pages[SITE_PAGES];            /* in order; the last one is where the visit ended */
    size_t page_count;
    uint64_t pages_left_out;
    SiteRequest scripts[SITE_SCRIPTS];
    size_t script_count;
    SiteRequest calls[SITE_CALLS];         /* to a collector, or for its settings */
    size_t call_count;
    SiteMessage messages[SITE_MESSAGES];
    size_t message_count;
    SiteBlock blocks[SITE_BLOCKS];
    size_t block_count;
    Str lines[SITE_LINES];                 /* of the console, those of the library */
    size_t line_count;
    Str inline_hash;                       /* "'sha256-…'", as Chromium prints it for a script that it stopped */
    SiteCookie cookies[SITE_COOKIES];
    size_t cookie_count;
    Str refused_cookies[SITE_NAMES];       /* "ajs_user_id (InvalidDomain)" */
    size_t refused_cookie_count;
    uint64_t dialog_count, left_out_count;
    bool has_crashed, is_without_sandbox;  /* without: root, for whom Chromium has none */
    Str browser;                           /* its program */
    SiteProbe probe;
    Str write_key, collect_url;            /* what was asked for */
    SiteKey key;
    Str key_says;                          /* the server's own words */
    SiteCollect collect;
    int collect_status;
    Str collect_says;
};

/* ---- Watching ---- */

/* What the network said of a request before the page said that it makes it. The two come on separate ways, so either
 * may be first. The last few are kept until the request is known. */
typedef struct SiteEarly {
    char id[64], mime[128], location[SITE_TEXT_BYTES];      /* each ends with a zero byte */
    int status;
} SiteEarly;

struct site_watch {
    struct site_facts *facts;
    Arena *arena;                          /* keeps what facts borrow */
    Str frame;                             /* the main one */
    double began_s;                        /* Chromium's clock */
    bool is_dialog_open;                   /* to be closed by whoever sends commands */
    bool has_answer;                       /* a call was answered, or it is known that none can be */
    SiteEarly early[SITE_EARLY];           /* a ring: the place of the next one is early_count % SITE_EARLY */
    size_t early_count;
};

void site_watch_open(struct site_watch *watch, struct site_facts *facts, Arena *arena);
/* One event. Any bytes may come; what is not an event of the page is ignored. */
void site_watch_event(struct site_watch *watch, Str message);
/* The body of a request that said it has one (wants_body), and the answer of the last look at the page. */
void site_watch_body(struct site_watch *watch, SiteRequest *call, Str body);
void site_watch_probe(struct site_watch *watch, const TreeNode *value);
void site_watch_cookies(struct site_watch *watch, const TreeNode *list, double now_s);

/* The scripts that are run in the page: before each document, and at the end. */
Str site_script_early(void);
Str site_script_probe(void);

/* ---- What the facts come to ---- */

bool site_is_delivered(const SiteRequest *call);
/* The library's script as the page asked for it; NULL if it asked for none. */
const SiteRequest *site_library(const struct site_facts *facts);
/* Which key, and which address calls go to; empty if nothing says so. */
Str site_find_key(const struct site_facts *facts);
Str site_find_collect(const struct site_facts *facts, Arena *arena);
Str site_final_url(const struct site_facts *facts);
bool site_is_elsewhere(Str address);          /* a collector of Segment, RudderStack and the like */

/* ---- Findings ---- */

typedef enum SiteLevel { SITE_FINE, SITE_NOTE, SITE_WARNING, SITE_ERROR } SiteLevel;

typedef enum SiteFindingName {
#define FINDING(name, check, level) FINDING_##name,
#include "site_findings.tbl.h"
#undef FINDING
    FINDING_COUNT
} SiteFindingName;

typedef struct SiteFinding {
    SiteFindingName name;
    Str text, mend;                        /* mend may be empty */
} SiteFinding;

struct site_findings {
    Arena *arena;
    SiteFinding items[SITE_FINDINGS];
    size_t count, error_count, warning_count;
};

const char *site_finding_word(SiteFindingName name);       /* "collect_html" */
const char *site_finding_check(SiteFindingName name);      /* "collect" */
SiteLevel site_finding_level(SiteFindingName name);

void site_judge(const struct site_facts *facts, Arena *arena, struct site_findings *ret);
/* Its parts, each with its own file. */
void site_judge_page(const struct site_facts *facts, struct site_findings *findings);
void site_judge_library(const struct site_facts *facts, struct site_findings *findings);
void site_judge_calls(const struct site_facts *facts, struct site_findings *findings);
void site_judge_visitor(const struct site_facts *facts, struct site_findings *findings);
void site_found(struct site_findings *findings, SiteFindingName name, Str mend, const char *format, ...) FORMAT(4, 5);

#include "site_ask.h"
#include "site_visit.h"

#endif

/* symptoms_pages: what a page's address and a browser's name show. Pure functions. */
#include "symptoms_private.h"

static bool is_letter(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }

enum { URL_MOST = 4096, ROUNDS = 2, TOKEN_BYTES = 20, VALUE_LEAST = 6 };

/* ---- Leaks ---- */

/* Long, with letters and digits mixed: this is no word of a language, no number, and no words with hyphens between. */
static bool looks_random(Str text)
{
    size_t digits = 0, letters = 0, hyphens = 0;
    if (text.len <= TOKEN_BYTES) return false;
    for (size_t at = 0; at < text.len; at++) {
        char c = text.bytes[at];
        digits += is_digit(c);
        letters += is_letter(c);
        hyphens += c == '-';
        if (!is_digit(c) && !is_letter(c) && c != '-' && c != '_' && c != '.' && c != '~' && c != '=') return false;
    }
    return digits >= 3 && letters >= 3 && hyphens <= 4;
}

#define WORD(literal) { literal, sizeof(literal) - 1 }

static bool is_token_place(Str segment)
{
    static const Str words[] = {
        WORD("reset"), WORD("verify"), WORD("invite"), WORD("confirm"), WORD("activate"), WORD("magic"),
            WORD("recover"),
        WORD("reset-password"), WORD("password-reset"), WORD("reset_password"), WORD("verify-email"),
        WORD("confirm-email"), WORD("invitation"), WORD("invitations"), WORD("verification"), WORD("magic-link"),
        WORD("unsubscribe"), WORD("accept-invite"), WORD("activation"), WORD("confirmation"), WORD("password"),
    };
    if (segment.len < 5 || segment.len > 14 || !strchr("RVICAMUPrvicamup", segment.bytes[0])) return false;
    for (size_t at = 0; at < countof(words); at++)
        if (words[at].len == segment.len && str_equal_no_case(segment, words[at])) return true;
    return false;
}

static bool has_token_path(Str path)
{
    Str rest = path;
    bool is_behind = false;
    while (rest.len) {
        Str segment = str_cut(rest, '/', &rest);
        if (is_behind && looks_random(segment)) return true;
        is_behind |= segment.len && is_token_place(segment);
    }
    return false;
}

static bool is_secret_name(Str name)
{
    static const Str more[] = { WORD("jwt"), WORD("sessionid"), WORD("session_id"), WORD("sig_token"),
                                WORD("invite_token"), WORD("confirmation_token"), WORD("reset_password_token"),
                                WORD("auth"), WORD("ticket") };
    for (size_t at = 0; at < countof(more); at++)
        if (str_equal_no_case(name, more[at])) return true;
    return symptoms_is_secret_key(name);
}

static bool is_plain_word(Str text)
{
    for (size_t at = 0; at < text.len; at++)
        if (!is_letter(text.bytes[at])) return false;
    return true;
}

/* The name of a secret begins with one of these letters; the names of campaigns (utm_, gclid, fbclid) do not. */
static bool may_be_secret_name(char first) { return first && strchr("paistrcjnoPAISTRCJNO", first); }

/* Does a query or a fragment have a parameter with the name of a secret, and a value that could be one? */
static bool has_secret_parameter(Str query)
{
    while (query.len) {
        Str value, name = str_cut(query, '&', &query);
        name = str_cut(name, '=', &value);
        if (value.len < VALUE_LEAST || !name.len) continue;
        if (symptoms_secret(value)) return true;
        if (may_be_secret_name(name.bytes[0]) && is_secret_name(name) && !is_plain_word(value)) return true;
    }
    return false;
}

static const char *leak_of(Str url)
{
    Str query, fragment;
    if (symptoms_has_email(url)) return "email";
    Str before = str_cut(url, '#', &fragment);
    Str path = str_cut(before, '?', &query);
    if (!query.len && path.len && memchr(path.bytes, '=', path.len) && !memchr(path.bytes, '/', path.len)) query = path;
    if (fragment.len && fragment.bytes[0] == '/') (void)str_cut(fragment, '?', &fragment);
    if (has_secret_parameter(query) || has_secret_parameter(fragment)) return "secret";
    return path.len > TOKEN_BYTES && has_token_path(path) ? "token path" : NULL;
}

const char *symptoms_url_leak(Str url)
{
    char rooms[ROUNDS][URL_MOST];
    const char *found = url.len ? leak_of(url) : NULL;
    if (url.len > URL_MOST) url.len = URL_MOST;
    for (int round = 0; round < ROUNDS && !found && url.len && memchr(url.bytes, '%', url.len); round++) {
        struct buf plain;
        buf_init_fixed(&plain, rooms[round], sizeof rooms[round]);
        buf_percent_decode(&plain, url, false);
        url = str_of(plain.bytes, plain.len);
        found = leak_of(url);
    }
    return found;
}

/* ---- Hosts ---- */

/* The four numbers of an IPv4 address. */
static bool read_address(Str host, int64_t parts[4])
{
    for (int at = 0; at < 4; at++) {
        Str part = str_cut(host, '.', &host);
        if (!str_parse_int(part, 0, 255, &parts[at])) return false;
    }
    return host.len == 0;
}

static const char *address_kind(Str host)
{
    int64_t parts[4];
    if (!host.len || !is_digit(host.bytes[0]) || !read_address(host, parts)) return NULL;
    if (parts[0] == 127 || (!parts[0] && !parts[1] && !parts[2] && !parts[3])) return "localhost";
    bool is_private = parts[0] == 10 || (parts[0] == 192 && parts[1] == 168)
                   || (parts[0] == 172 && parts[1] >= 16 && parts[1] <= 31) || (parts[0] == 169 && parts[1] == 254);
    return is_private ? "private address" : NULL;
}

static bool is_preview(Str host)
{
    static const Str ends[] = { WORD(".ngrok.io"), WORD(".ngrok-free.app"), WORD(".ngrok.app"), WORD(".gitpod.io"),
                                WORD(".app.github.dev"), WORD(".trycloudflare.com"), WORD(".loca.lt"),
                                WORD(".webcontainer.io"), WORD(".csb.app"), WORD(".stackblitz.io") };
    for (size_t at = 0; at < countof(ends); at++)
        if (str_ends(host, ends[at])) return true;
    return (str_starts(host, STR("deploy-preview-")) && str_ends(host, STR(".netlify.app")))
        || (str_contains(host, STR("-git-")) && str_ends(host, STR(".vercel.app")));
}

/* Is a label "staging" or "stage", or does it begin with "staging" or end with "-staging" or "-stage"? */
static bool is_staging(Str host)
{
    while (host.len) {
        Str label = str_cut(host, '.', &host);
        if (!host.len) return false;                         /* the last label is the top-level domain */
        if (str_starts(label, STR("staging")) || str_ends(label, STR("-staging")) || str_equal(label, STR("stage"))
            || str_ends(label, STR("-stage"))) return true;
    }
    return false;
}

const char *symptoms_dev_host(Str url)
{
    char room[256];
    if (str_starts(url, STR("file:"))) return "file";
    Str host = url_host(url);
    if (host.len > sizeof room) return NULL;
    for (size_t at = 0; at < host.len; at++) {
        char c = host.bytes[at];
        room[at] = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
    }
    host = str_of(room, host.len);
    if (str_equal(host, STR("localhost")) || str_ends(host, STR(".localhost")) || str_equal(host, STR("[::1]")))
        return "localhost";
    const char *kind = address_kind(host);
    if (kind) return kind;
    if (str_ends(host, STR(".local")) || str_ends(host, STR(".test")) || str_ends(host,
        STR(".internal"))) return "test";
    return is_staging(host) ? "staging" : is_preview(host) ? "preview" : NULL;
}

/* ---- Robots ---- */

static const char *find_no_case(Str text, const char *word)
{
    size_t len = strlen(word);
    for (size_t at = 0; at + len <= text.len; at++) {
        size_t same = 0;
        while (same < len && (text.bytes[at + same] | 32) == (word[same] | 32)) same++;
        if (same == len) return text.bytes + at;
    }
    return NULL;
}

static bool is_name_char(char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; }

/* The word that the place is in. */
static Str word_at(Str text, const char *place)
{
    size_t from = (size_t)(place - text.bytes), to = from;
    while (from > 0 && is_name_char(text.bytes[from - 1])) from--;
    while (to < text.len && is_name_char(text.bytes[to])) to++;
    return str_slice(text, from, to);
}

Str symptoms_find_bot(Str agent)
{
    static const char *const words[] = { "HeadlessChrome", "Chrome-Lighthouse", "PhantomJS", "facebookexternalhit",
        "Google-InspectionTool", "crawler", "spider", "Pingdom", "GTmetrix", "UptimeRobot", "StatusCake",
            "Electron/test",
        "Puppeteer", "Playwright", "Selenium", "Cypress", "BingPreview", "Mediapartners-Google", "Slurp" };
    for (size_t at = 0; at < countof(words); at++) {
        const char *found = find_no_case(agent, words[at]);
        if (found) return word_at(agent, found);
    }
    for (Str rest = agent; rest.len >= 3;) {
        const char *found = find_no_case(rest, "bot");
        if (!found) break;
        Str word = word_at(agent, found);
        const char *behind = found + 3;
        bool ends = behind == agent.bytes + agent.len || !is_letter(*behind);
        if (ends && !str_equal_no_case(word, STR("cubot"))) return word;
        rest = str_of(behind, (size_t)(agent.bytes + agent.len - behind));
    }
    return (Str){ 0 };
}

/* symptoms_values: what a text is: a number, a date, junk, a secret, somebody's address. Pure functions.
 *
 * The lists of words here are short on purpose: a false alarm costs more trust than a missed case. */
#include "symptoms_private.h"

#include <stdlib.h>

static bool is_letter(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }

static bool is_one_of(Str text, const char *const *words, size_t count)
{
    for (size_t at = 0; at < count; at++)
        if (text.len && words[at][0] == text.bytes[0] && str_equal(text, str_from(words[at]))) return true;
    return false;
}

/* ---- Types ---- */

bool symptoms_is_number(Str text)
{
    size_t at = text.len && (text.bytes[0] == '-' || text.bytes[0] == '+'), digits = 0, points = 0;
    for (; at < text.len; at++) {
        if (is_digit(text.bytes[at])) digits++;
        else if (text.bytes[at] == '.' && !points) points++;
        else break;
    }
    if (!digits) return false;
    if (at == text.len) return text.bytes[at - 1] != '.';
    if ((text.bytes[at] | 32) != 'e') return false;
    at += 1 + (at + 1 < text.len && (text.bytes[at + 1] == '-' || text.bytes[at + 1] == '+'));
    size_t first = at;
    while (at < text.len && is_digit(text.bytes[at])) at++;
    return at == text.len && at > first;
}

/* 2026-11-30, alone or before a T or a blank; 11/30/2026 and 30.11.2026 */
static bool is_date(Str text)
{
    int parts = 0, digits = 0;
    size_t at;
    char separator = 0;
    for (at = 0; at < text.len; at++) {
        char c = text.bytes[at];
        if (is_digit(c)) {
            if (++digits > 4) return false;
            continue;
        }
        if (digits == 0) return false;
        if (parts == 2) break;
        if (c != '-' && c != '/' && c != '.') return false;
        if (separator && (c != separator || digits > 2)) return false;       /* the month or day in the middle */
        separator = c;
        parts++;
        digits = 0;
    }
    if (parts != 2 || digits == 0) return false;
    return text.len >= 8 && (at == text.len || text.bytes[at] == 'T' || text.bytes[at] == ' ');
}

SymptomType symptoms_text_type(Str text)
{
    static const char *const junk[] = { "undefined", "null", "NaN", "[object Object]", "Invalid Date", "Infinity",
                                        "None", "nil", "(null)", "<nil>", "[object Undefined]" };
    if (!text.len) return TYPE_EMPTY;
    switch (text.bytes[0]) {
    case '-': case '+': case '.': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7':
    case '8': case '9':
        if (text.len > 40) return TYPE_TEXT;
        return symptoms_is_number(text) ? TYPE_TEXT_NUMBER : is_date(text) ? TYPE_TEXT_DATE : TYPE_TEXT;
    case 't': case 'f': case 'T': case 'F':
        return str_equal_no_case(text, STR("true")) || str_equal_no_case(text, STR("false")) ? TYPE_TEXT_BOOLEAN
                                                                                            : TYPE_TEXT;
    case 'u': case 'n': case 'N': case 'I': case '[': case '(': case '<':
        return text.len <= 18 && is_one_of(text, junk, countof(junk)) ? TYPE_TEXT_JUNK : TYPE_TEXT;
    default: return TYPE_TEXT;
    }
}

/* An integer of up to 15 digits, divided by a power of ten: both are exact as doubles, so the quotient is rounded
 * once. */
bool symptoms_read_number(Str raw, double *ret)
{
    static const double tens[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
    size_t at = raw.len && raw.bytes[0] == '-';
    uint64_t digits = 0;
    int count = 0, behind_point = -1;
    for (; at < raw.len && count <= 15; at++) {
        if (is_digit(raw.bytes[at])) digits = digits * 10 + (uint64_t)(raw.bytes[at] - '0'), count++;
        else if (raw.bytes[at] == '.' && behind_point < 0) behind_point = count;
        else break;
    }
    if (at < raw.len || count == 0 || count > 15) return str_parse_double(raw, ret);
    *ret = (double)digits / tens[behind_point < 0 ? 0 : count - behind_point];
    if (raw.bytes[0] == '-') *ret = -*ret;
    return true;
}

uint32_t symptoms_bucket(double value)
{
    uint64_t bits;
    double amount = value < 0 ? -value : value;
    memcpy(&bits, &amount, sizeof bits);
    int octave = (int)(bits >> 52) - 1023;
    if (octave < SYMPTOM_BUCKET_LEAST) return 0;
    uint32_t bucket = 1 + (uint32_t)(octave - SYMPTOM_BUCKET_LEAST) * 4 + (uint32_t)(bits >> 50 & 3);
    return bucket < SYMPTOM_BUCKETS ? bucket : SYMPTOM_BUCKETS - 1;
}

/* ---- Keys ---- */

/* The letters and digits of a key, in lower case; empty if it is too long for any list. */
static Str fold_key(Str key, char room[32])
{
    size_t len = 0;
    for (size_t at = 0; at < key.len; at++) {
        char c = key.bytes[at];
        if (!is_letter(c) && !is_digit(c)) continue;
        if (len == 32) return (Str){ 0 };
        room[len++] = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
    }
    return (Str){ room, len };
}

bool symptoms_is_secret_key(Str key)
{
    static const char *const words[] = {
        "password", "passwd", "pwd", "passphrase", "newpassword", "oldpassword", "currentpassword", "userpassword",
        "confirmpassword", "passwordconfirmation", "secret", "clientsecret", "secretkey", "token", "accesstoken",
        "refreshtoken", "idtoken", "authtoken", "sessiontoken", "resettoken", "apikey", "apitoken", "apisecret",
        "privatekey", "authorization", "ssn", "socialsecuritynumber", "cvv", "cvc", "cardnumber", "creditcard",
        "creditcardnumber",
    };
    char room[32];
    return is_one_of(fold_key(key, room), words, countof(words));
}

bool symptoms_is_id_key(Str key)
{
    static const char *const words[] = { "sku", "ean", "gtin", "isbn", "upc", "imei", "iccid", "timestamp", "tracking",
                                         "trackingnumber", "ordernumber", "barcode" };
    char room[32];
    Str folded = fold_key(key, room);
    return str_ends(folded, STR("id")) || str_ends(folded, STR("ids")) || is_one_of(folded, words, countof(words));
}

uint8_t symptoms_key_traits(Str key)
{
    static const char *const emails[] = { "email", "emailaddress", "mail", "useremail" };
    static const char *const phones[] = { "phone", "phonenumber", "mobile", "mobilenumber", "telephone", "tel" };
    static const char *const names[] = { "firstname", "lastname", "fullname", "surname", "givenname", "familyname" };
    char room[32];
    Str folded = fold_key(key, room);
    uint8_t traits = TRAIT_KNOWN;
    if (symptoms_is_secret_key(key)) traits |= TRAIT_SECRET_KEY;
    if (is_one_of(folded, emails, countof(emails))) traits |= TRAIT_EMAIL_KEY;
    if (is_one_of(folded, phones, countof(phones))) traits |= TRAIT_PHONE_KEY;
    if (is_one_of(folded, names, countof(names))) traits |= TRAIT_NAME_KEY;
    if (str_equal(key, STR("revenue"))) traits |= TRAIT_MONEY_KEY;
    if (str_equal(key, STR("currency"))) traits |= TRAIT_CURRENCY_KEY;
    return traits;
}

/* ---- Secrets ---- */

static bool is_base64url(Str text)
{
    for (size_t at = 0; at < text.len; at++) {
        char c = text.bytes[at];
        if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_' && c != '=') return false;
    }
    return true;
}

/* {"alg":… and {"typ":… begin with eyJ in base64; the payload is an object, too. */
static bool is_jwt(Str text)
{
    Str rest, payload = { 0 }, sign;
    if (text.len < 36 || !str_starts(text, STR("eyJ"))) return false;
    Str head = str_cut(text, '.', &rest);
    payload = str_cut(rest, '.', &sign);
    return head.len < text.len && payload.len < rest.len && str_starts(payload, STR("eyJ")) && is_base64url(head)
        && is_base64url(payload) && is_base64url(sign);
}

static bool is_pem(Str text)
{
    static const char begin[] = "-----BEGIN ";
    const char *found = text.len >= 40 ? memmem(text.bytes, text.len, begin, sizeof begin - 1) : NULL;
    return found && memmem(found, (size_t)(text.bytes + text.len - found), "PRIVATE KEY-----", 16);
}

static int prefix_of(const char *digits, int count)
{
    int value = 0;
    for (int at = 0; at < count; at++) value = value * 10 + digits[at] - '0';
    return value;
}

/* Issuers by their first digits, and the lengths of their numbers. */
static bool has_issuer(const char *digits, int count)
{
    static const struct { int from, to, width, least, most; } issuers[] = {
        { 4, 4, 1, 16, 16 },                                        /* Visa */
        { 51, 55, 2, 16, 16 }, { 2221, 2720, 4, 16, 16 },           /* Mastercard */
        { 34, 34, 2, 15, 15 }, { 37, 37, 2, 15, 15 },               /* American Express */
        { 6011, 6011, 4, 16, 16 }, { 644, 649, 3, 16, 16 }, { 65, 65, 2, 16, 16 },      /* Discover */
        { 3528, 3589, 4, 16, 16 },                                  /* JCB */
        { 300, 305, 3, 14, 14 }, { 36, 36, 2, 14, 14 }, { 38, 39, 2, 14, 14 },          /* Diners */
    };
    for (size_t at = 0; at < countof(issuers); at++) {
        int prefix = prefix_of(digits, issuers[at].width);
        if (prefix >= issuers[at].from && prefix <= issuers[at].to && count >= issuers[at].least
            && count <= issuers[at].most) return true;
    }
    return false;
}

static bool passes_luhn(const char *digits, int count)
{
    int sum = 0;
    for (int at = 0; at < count; at++) {
        int digit = digits[count - 1 - at] - '0';
        if (at % 2) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return sum % 10 == 0;
}

/* Is the whole text the number of a card: digits, with or without blanks or hyphens between groups? A number with only
 * one digit again and again is none. */
static bool is_card(Str text)
{
    char digits[20];
    int count = 0;
    bool differs = false;
    if (text.len < 14 || text.len > 24) return false;
    for (size_t at = 0; at < text.len; at++) {
        char c = text.bytes[at];
        if ((c == ' ' || c == '-') && at > 0 && is_digit(text.bytes[at - 1])) continue;
        if (!is_digit(c) || count == 19) return false;
        differs |= count > 0 && c != digits[0];
        digits[count++] = c;
    }
    return count >= 14 && differs && has_issuer(digits, count) && passes_luhn(digits, count);
}

const char *symptoms_secret(Str text)
{
    if (text.len < 14) return NULL;
    char first = text.bytes[0];
    if (first == 'e') return is_jwt(text) ? "jwt" : NULL;
    if (is_digit(first)) return is_card(text) ? "card" : NULL;
    if ((first == 'B' || first == 'b') && text.len > 40 && str_equal_no_case(str_slice(text, 0, 7), STR("bearer ")))
        return is_jwt(str_slice(text, 7, text.len)) ? "jwt" : NULL;
    return first == '-' || (text.len >= 200 && memchr(text.bytes, '-',
        text.len)) ? (is_pem(text) ? "pem" : NULL) : NULL;
}

/* ---- People ---- */

static bool is_local_char(char c) { return is_letter(c) || is_digit(c) || (c && strchr("._%+-'", c)); }
static bool is_domain_char(char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.'; }

/* Addresses that belong to no particular person. */
static bool is_impersonal(Str local, Str domain)
{
    static const char *const locals[] = { "support", "info", "hello", "help", "contact", "sales", "noreply", "no-reply",
                                          "admin", "team", "office", "press", "jobs", "privacy", "legal", "billing",
                                          "donotreply", "do-not-reply", "webmaster", "postmaster", "abuse",
                                              "security" };
    static const char *const domains[] = { "example.com", "example.org", "example.net", "sentry.io" };
    static const char *const tops[] = { ".example", ".test", ".invalid", ".localhost", ".local", ".png", ".jpg",
        ".jpeg",
                                        ".gif", ".svg", ".webp", ".css", ".js", ".pdf" };
    for (size_t at = 0; at < countof(locals); at++)
        if (str_equal_no_case(local, str_from(locals[at]))) return true;
    for (size_t at = 0; at < countof(domains); at++)
        if (str_equal_no_case(domain, str_from(domains[at]))) return true;
    for (size_t at = 0; at < countof(tops); at++)
        if (str_ends(domain, str_from(tops[at]))) return true;
    return false;
}

static bool is_domain(Str domain)
{
    size_t dot = domain.len;
    while (dot > 0 && domain.bytes[dot - 1] != '.') dot--;
    if (dot < 2 || domain.len - dot < 2 || domain.bytes[0] == '.' || domain.bytes[0] == '-') return false;
    for (size_t at = dot; at < domain.len; at++)
        if (!is_letter(domain.bytes[at])) return false;
    return !str_contains(domain, STR(".."));
}

/* The address around the @ at the place; *ret_from and *ret_to are its ends. */
static bool is_address_at(Str text, size_t at, size_t *ret_from, size_t *ret_to)
{
    size_t from = at, to = at + 1;
    while (from > 0 && is_local_char(text.bytes[from - 1]) && at - from < 64) from--;
    while (to < text.len && is_domain_char(text.bytes[to]) && to - at < 200) to++;
    while (to > at + 1 && (text.bytes[to - 1] == '.' || text.bytes[to - 1] == '-')) to--;      /* a full stop */
    *ret_from = from;
    *ret_to = to;
    Str local = str_slice(text, from, at), domain = str_slice(text, at + 1, to);
    return local.len && local.bytes[0] != '.' && is_domain(domain) && !is_impersonal(local, domain);
}

bool symptoms_is_email(Str text)
{
    size_t from, to;
    const char *found = text.len && text.len <= 254 ? memchr(text.bytes, '@', text.len) : NULL;
    return found && is_address_at(text, (size_t)(found - text.bytes), &from, &to) && from == 0 && to == text.len;
}

bool symptoms_has_email(Str text)
{
    size_t from, to;
    for (size_t at = 0; at < text.len; at++) {
        const char *found = memchr(text.bytes + at, '@', text.len - at);
        if (!found) return false;
        at = (size_t)(found - text.bytes);
        if (is_address_at(text, at, &from, &to)) return true;
    }
    return false;
}

bool symptoms_is_phone(Str text)
{
    int digits = 0, separators = 0;
    if (text.len < 8 || text.len > 24 || is_date(text)) return false;
    for (size_t at = 0; at < text.len; at++) {
        char c = text.bytes[at];
        if (is_digit(c)) digits++;
        else if (c == '(' || c == ')' || c == ' ' || c == '-') separators++;
        else if (!(c == '+' && at == 0)) return false;
    }
    return digits >= 8 && digits <= 15 && (text.bytes[0] == '+' || (separators >= 2 && text.bytes[0] != '-'));
}

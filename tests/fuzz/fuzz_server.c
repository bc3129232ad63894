/* fuzz_server: any bytes as what a connection sends. First byte: into how large pieces they are cut. However that is,
 * the same requests come out, with the same bodies, and the same refusal at the same place; nothing that is let through
 * can be read in two ways: one host, one length or chunks, no control character in what handlers see. */
#include "http/http_wire.h"

#include <stdlib.h>

static WireHead head;

typedef struct Told {
    uint64_t hash;                   /* of all heads and bodies */
    unsigned requests, status;
} Told;

static uint64_t mix(uint64_t before, Str s) { return hash_64(s, before * 31 + s.len); }

static void check_plain(Str s)
{
    for (size_t at = 0; at < s.len; at++) check((unsigned char)s.bytes[at] >= ' ' || s.bytes[at] == '\t');
}

static void check_head(void)
{
    unsigned hosts = 0, lengths = 0, codings = 0;
    check(head.method.len && head.target.len && head.target.len <= LIMIT_URL_BYTES);
    check(!memchr(head.target.bytes, ' ', head.target.len));
    check_plain(head.target);
    for (size_t at = 0; at < head.header_count; at++) {
        Str name = head.headers[at].name;
        check(name.len && !memchr(name.bytes, ' ', name.len));
        check_plain(name);
        check_plain(head.headers[at].value);
        hosts += str_equal_no_case(name, STR("host"));
        lengths += str_equal_no_case(name, STR("content-length"));
        codings += str_equal_no_case(name, STR("transfer-encoding"));
    }
    check(hosts <= 1 && lengths + codings <= 1 && (hosts == 1 || head.is_1_0));
    check(head.is_chunked == (codings == 1) && head.has_length == (lengths == 1) && !(head.is_1_0 && codings));
}

/* As a connection does: what is not whole is kept until more comes. */
static Told read_all(Str bytes, size_t piece)
{
    Told told = { 0 };
    WireRefusal refusal = { 0 };
    struct wire_body body;
    bool has_head = false;
    size_t begun = 0, scanned = 0, have = 0, at = 0;         /* bytes before at are done with */
    while (have < bytes.len) {
        have = have + piece < bytes.len ? have + piece : bytes.len;
        for (WireStep step = WIRE_DONE; step != WIRE_MORE;) {
            size_t head_len;
            Str some = str_slice(bytes, at, have), taken;
            if (!has_head) {
                step = wire_find_head(some, &scanned, &head_len, &refusal);
                if (step == WIRE_MORE) break;
                if (step == WIRE_DONE) step = wire_parse_head(str_slice(some, 0, head_len), &head, &refusal);
                if (step == WIRE_REFUSED) return told.status = refusal.status, told;
                check_head();
                told.hash = mix(told.hash, str_slice(some, 0, head_len));
                wire_begin_body(&body, &head);
                has_head = true;
                at += head_len;
                continue;
            }
            step = wire_read_body(&body, &some, &taken, &refusal);
            for (size_t byte = 0; byte < taken.len; byte++)
                told.hash = told.hash * 31 + (unsigned char)taken.bytes[byte];
            begun = have - some.len;
            check(begun >= at && begun <= have);
            at = begun;
            if (step == WIRE_REFUSED) return told.status = refusal.status, told;
            if (step == WIRE_MORE) {
                if (taken.len) step = WIRE_DONE;             /* there may be more at once */
                continue;
            }
            told.requests++;
            has_head = false;
            scanned = 0;
        }
    }
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count < 1) return 0;
    char *exact = malloc(count);
    memcpy(exact, bytes + 1, count - 1);
    Str all = { exact, count - 1 };
    Told whole = read_all(all, count), cut = read_all(all, 1 + bytes[0] % 64);
    check(whole.status == cut.status && whole.requests == cut.requests && whole.hash == cut.hash);
    free(exact);
    return 0;
}

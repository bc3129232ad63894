/* fuzz_devtools: any bytes as what Chromium writes. Facts stay within their bounds, findings are sentences with a way
 * out, in the order of their table. Messages are ended by a zero byte, as on the pipe; one that
 * begins with P is the page's own answer at the end, with C its cookies, with B the body of the last call. */
#include "site/site.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ALL_BYTES = 256 * 1024 };

static struct region region;

static void take(struct site_watch *watch, Str message, Arena *arena)
{
    const TreeNode *root = NULL;
    struct site_facts *facts = watch->facts;
    char kind = message.len ? message.bytes[0] : 0;
    Str rest = str_slice(message, 1, message.len);
    if (kind == 'B' && facts->call_count) {
        site_watch_body(watch, &facts->calls[facts->call_count - 1], rest);
        return;
    }
    if (kind != 'P' && kind != 'C') {
        site_watch_event(watch, message);
        return;
    }
    Str copy = arena_copy(arena, rest);
    if (event_tree_read(copy, arena, &root, NULL)) return;
    if (kind == 'P') site_watch_probe(watch, root);
    else site_watch_cookies(watch, root, 1.7e9);
}

static void check_findings(const struct site_findings *findings)
{
    check(findings->count <= SITE_FINDINGS);
    size_t errors = 0, warnings = 0;
    for (size_t at = 0; at < findings->count; at++) {
        const SiteFinding *finding = &findings->items[at];
        SiteLevel level = site_finding_level(finding->name);
        check(finding->text.len > 0 && (finding->mend.len > 0) == (level >= SITE_WARNING));
        check(at == 0 || findings->items[at - 1].name <= finding->name);
        errors += level == SITE_ERROR, warnings += level == SITE_WARNING;
    }
    check(errors == findings->error_count && warnings == findings->warning_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!region.start) region_open(&region, (size_t)256 << 20);
    if (size < 3 || size > ALL_BYTES) return 0;
    Arena arena = region_arena(&region), tree;
    struct site_facts *facts = arena_new(&arena, struct site_facts, 1);
    struct site_findings *findings = arena_new(&arena, struct site_findings, 1);
    struct site_watch watch;
    char *exact = malloc(size);
    check(exact != NULL);
    memcpy(exact, data, size);
    Str rest = { exact + 2, size - 2 };
    facts->asked_url = STR("https://shop.example/");
    site_watch_open(&watch, facts, &arena);
    watch.frame = STR("F");
    while (rest.len) {
        Str message = str_cut(rest, 0, &rest);
        tree = arena;
        tree.at += (size_t)128 << 20;                       /* after what the facts keep */
        take(&watch, message, &tree);
    }
    facts->write_key = site_find_key(facts);
    facts->collect_url = site_find_collect(facts, &arena);
    facts->key = (SiteKey)((unsigned char)exact[0] % (KEY_NO_ANSWER + 1));
    facts->collect = (SiteCollect)((unsigned char)exact[1] % (COLLECT_NO_ANSWER + 1));
    facts->collect_status = facts->collect == COLLECT_REFUSED ? 403 : 200;
    site_judge(facts, &arena, findings);
    check_findings(findings);
    free(exact);
    return 0;
}

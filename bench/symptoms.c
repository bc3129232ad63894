/* bench-symptoms: what counting symptoms costs an event.
 *   build/release/bench/symptoms [THOUSANDS]       events, in thousands; 1000 by default
 * Messages as the browser library sends them and collection keeps them (some 900 bytes): page, track, identify,
     of 20,000
 * visitors with ten browsers on 3,000 pages with a campaign; a tenth of them is of known users. Processor time of
 * symptoms_add alone; the applier's whole time is bench/apply's. Goal: a tenth of that, <= 100 ns. */
#include "symptoms/symptoms.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { KINDS = 4096, VISITORS = 20000 };
static const double goal_ns = 100;

static uint64_t mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct made { Event event; char json[1600], id[40], anonymous[40], user[16]; uint32_t subject; };

static size_t write_context(char *to, uint64_t n)
{
    unsigned page = (unsigned)(mix(n) % 3000), agent = (unsigned)(mix(n ^ 7) % 10);
    return (size_t)sprintf(to,
        "\"context\":{\"page\":{\"path\":\"/shop/products/%u\",\"referrer\":\"https://www.search.example/\","
        "\"search\":\"?utm_source=news&utm_campaign=spring-%u\",\"title\":\"Product %u of our shop\","
        "\"url\":\"https://www.shop.example/shop/products/%u?utm_source=news&utm_campaign=spring-%u\"},\"userAgent\":"
        "\"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/12%u.0.0.0 Safari/537.36\","
        "\"locale\":\"en-US\",\"library\":{\"name\":\"analytics.js\",\"version\":\"npm:next-1.84.0\"},"
        "\"timezone\":\"Europe/Berlin\","
        "\"campaign\":{\"source\":\"news\",\"name\":\"spring-%u\"},\"ip\":\"203.0.113.%u\"},\"integrations\":{}}",
        page, page % 9, page, page, page % 9, agent, page % 9, page % 250);
}

static void make(struct made *made, uint64_t n)
{
    static const char *const names[] = { "Product Viewed", "Product Added", "Searched", "Clicked", "Order Completed" };
    uint64_t visitor = mix(n) % VISITORS;
    bool is_page = n % 3 == 0, is_identify = n % 40 == 1, is_known = visitor % 10 == 0;
    int len, source;
    sprintf(made->id, "ajs-next-%016llx%08x", (unsigned long long)mix(n + 1), (unsigned)n);
    sprintf(made->anonymous, "%08x-0000-4000-8000-%012llx", (unsigned)visitor, (unsigned long long)mix(visitor) >> 16);
    sprintf(made->user, "%u", 100000 + (unsigned)visitor);
    len = sprintf(made->json, "{\"messageId\":\"%s\",\"anonymousId\":\"%s\",", made->id, made->anonymous);
    if (is_known) len += sprintf(made->json + len, "\"userId\":\"%s\",", made->user);
    len += sprintf(made->json + len,
        "\"timestamp\":\"2026-11-30T10:00:00.000Z\",\"originalTimestamp\":\"2026-11-30T10:00:00.000Z\","
                   "\"sentAt\":\"2026-11-30T10:00:00.100Z\",\"receivedAt\":\"2026-11-30T10:00:00.200Z\","
                   "\"type\":\"%s\",",
                   is_identify ? "identify" : is_page ? "page" : "track");
    if (!is_identify && !is_page) len += sprintf(made->json + len, "\"event\":\"%s\",", names[mix(n) % 5]);
    source = len + (int)strlen("\"projectId\":\"");
    len += sprintf(made->json + len, "\"projectId\":\"website\",");
    if (is_identify) len += sprintf(made->json + len,
        "\"traits\":{\"email\":\"kim%llu@firma.de\",\"plan\":\"Pro\",\"name\":\"Kim\"},",
                                    (unsigned long long)visitor);
    else if (is_page) len += sprintf(made->json + len,
        "\"properties\":{\"path\":\"/shop/products/1\",\"title\":\"Product\","
                                     "\"url\":\"https://www.shop.example/shop/products/1\",\"search\":\"\",\"referrer\":\"\"},");
    else len += sprintf(made->json + len,
        "\"properties\":{\"product_id\":\"p-%u\",\"price\":%u.90,\"currency\":\"EUR\",\"category\":\"Shoes\","
                        "\"is_new\":true,\"quantity\":%u},", (unsigned)(mix(n) % 5000), (unsigned)(mix(n) % 90),
                            (unsigned)(n % 4));
    len += (int)write_context(made->json + len, n);
    made->subject = (uint32_t)visitor;
    made->event = (Event){
        .type = is_identify ? EVENT_IDENTIFY : is_page ? EVENT_PAGE : EVENT_TRACK, .source = { made->json + source, 7 },
        .message_id = str_from(made->id), .anonymous_id = str_from(made->anonymous),
        .user_id = str_from(is_known ? made->user : ""), .name = str_from(is_identify
            || is_page ? "" : names[mix(n) % 5]),
        .timestamp_ms = 1796032800000, .original_timestamp_ms = 1796032800000, .sent_at_ms = 1796032800100,
        .received_at_ms = 1796032800200, .json = { made->json, (size_t)len },
    };
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    uint64_t all = (argc > 1 ? strtoull(argv[1], NULL, 10) : 1000) * 1000, bytes = 0;
    struct made *made = calloc(KINDS, sizeof *made);
    struct symptoms *symptoms;
    double spent = 0;
    Err err;
    check(made && !symptoms_open(&(SymptomsOptions){ NULL, 0 }, &symptoms, &err));
    for (uint64_t done = 0; done < all; done += KINDS) {
        for (uint64_t at = 0; at < KINDS; at++) make(&made[at], done + at), bytes += made[at].event.json.len;
        double before = cpu_seconds();
        for (uint64_t at = 0; at < KINDS; at++)
            check(!symptoms_add(symptoms, &made[at].event, done + at, made[at].subject, &err));
        spent += cpu_seconds() - before;
    }
    all = (all + KINDS - 1) / KINDS * KINDS;
    double ns = spent * 1e9 / (double)all;
    printf("%llu events of %llu bytes: %.0f ns an event (goal: <= %.0f): %s\n", (unsigned long long)all,
           (unsigned long long)(bytes / all), ns, goal_ns, ns <= goal_ns ? "reached" : "missed");
    symptoms_close(symptoms);
    free(made);
    return ns <= goal_ns ? 0 : 1;
}

/* demo: the example site (examples/rdio), which `onym demo` serves beside Onym; and a month of made-up visitors to such
 * a site, with what is true of them. */
#ifndef ONYM_DEMO_DEMO_H
#define ONYM_DEMO_DEMO_H

#include "derive/derive.h"
#include "health/health.h"
#include "http/http.h"

/* The example site (examples/rdio) that `onym demo` serves, from the bytes that the build put into the program.
 * Accounts live in memory, 1,000 at the most. Driven by one server, which serves nothing else. */
typedef struct DemoOptions {
    Str onym_url;                    /* where pages load the library from and send their calls; borrowed */
    Str write_key;                   /* whose they are; borrowed */
    Str own_path;                    /* of that source; empty: it has none; borrowed */
    struct health *health;
    struct applier *applier;         /* tells an account its history */
    struct clock *clock;
    struct dice *dice;
} DemoOptions;
struct demo;
struct demo *demo_open(const DemoOptions *options);      /* NULL: no memory */
void demo_close(struct demo *site);            /* accepts NULL */

/* For HttpOptions; the context is a struct demo. */
extern const HttpApp demo_app;

/* ---- A made-up history (demo_data.c) ----
 *
 * Visitors who browse, sign up and come back, as messages of the Tracking API with times of the past; the mistakes that
 * tracking set-ups make among them. A function of the options: neither a clock nor chance has a part in it. Since it
 * was made up, what is true of it is known, down to who each id belongs to: demo_data_write_truth tells it. One thread.
 */
enum { DEMO_USERS_MOST = 10000, DEMO_DAYS_LEAST = 14, DEMO_DAYS_MOST = 90 };
typedef struct DemoDataOptions {
    uint64_t seed;
    uint32_t users;                  /* who sign up; twice as many never do */
    uint32_t days;
    Millis end_ms;                   /* a midnight, UTC: all of it happens in the days before */
    Str website, server;             /* names of the sources that it counts for, may be the same; borrowed */
} DemoDataOptions;
struct demo_data;
/* ERR_INPUT: options out of their ranges. */
Status MUST demo_data_open(const DemoDataOptions *options, struct demo_data **ret, Err *err);
void demo_data_close(struct demo_data *data);  /* accepts NULL */
uint64_t demo_data_count(const struct demo_data *data);
/* One message as a line of NDJSON without its end, in order of time; number is below the count. */
void demo_data_write_message(const struct demo_data *data, uint64_t number, struct buf *out);
/* A JSON object; docs/demo.md says what each member means. */
void demo_data_write_truth(const struct demo_data *data, struct buf *out);

#endif

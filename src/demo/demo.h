/* demo: the example site (examples/rdio), which `onym demo` serves beside Onym. */
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

#endif

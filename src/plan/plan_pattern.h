/* plan_pattern: regular expressions of ECMA 262, as JSON Schema has them, matched in time linear in the text.
 * Private to plan/. RE2 does it (plan_re2.cc); this file translates the dialect into RE2's. What cannot be matched in
 * linear time is refused when the plan is loaded, with the reason: look-ahead, look-behind and back-references.
 * (docs/decisions/0014-tracking-plans-checked-at-collection.md) */
#ifndef ONYM_PLAN_PATTERN_H
#define ONYM_PLAN_PATTERN_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PATTERN_BYTES = 4096, PATTERN_WHY_BYTES = 160, PATTERN_MEMORY_BYTES = 1024 * 1024 };

struct pattern;
/* NULL, and why (a phrase), if it is no pattern, or uses what is not linear. The text is not kept. */
struct pattern *pattern_open(Str text, char why[PATTERN_WHY_BYTES]);
void pattern_close(struct pattern *pattern);             /* accepts NULL */
/* Anywhere in the text, which is UTF-8. Any number of threads at once. */
bool pattern_matches(const struct pattern *pattern, Str text);

/* ---- Between plan_pattern.c and plan_re2.cc ---- */
struct pattern *pattern_re2_open(Str text, char why[PATTERN_WHY_BYTES]);

#ifdef __cplusplus
}
#endif
#endif

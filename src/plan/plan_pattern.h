/* plan_pattern: regular expressions of ECMA 262, as JSON Schema has them, matched in time linear in the text.
 * Private to plan/. RE2 does the matching (plan_re2.cc); plan_pattern.c translates the dialect into RE2's. What cannot
 * be matched in linear time (look-ahead, look-behind, back-references) is refused when the plan is loaded, with the
 * reason. (docs/decisions/0014-tracking-plans-checked-at-collection.md) */
#ifndef ONYM_PLAN_PATTERN_H
#define ONYM_PLAN_PATTERN_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PATTERN_BYTES = 4096, PATTERN_WHY_BYTES = 160, PATTERN_MEMORY_BYTES = 1024 * 1024 };

struct pattern;
/* NULL, and why (a phrase): it is no pattern, or it uses what cannot be linear. The text is not kept. */
struct pattern *pattern_open(Str text, char why[PATTERN_WHY_BYTES]);
void pattern_close(struct pattern *pattern);             /* accepts NULL */
/* Does the pattern match anywhere in the text, which is UTF-8? Any number of threads may ask at once. */
bool pattern_matches(const struct pattern *pattern, Str text);

/* ---- Between plan_pattern.c and plan_re2.cc ---- */
struct pattern *pattern_re2_open(Str text, char why[PATTERN_WHY_BYTES]);

#ifdef __cplusplus
}
#endif
#endif

/* plan_re2: RE2 behind C functions. It matches in time linear in the text, whatever the pattern is. If its automaton
 * needs more memory than it may have (PATTERN_MEMORY_BYTES), RE2 simulates it more slowly, but does not give up. */
#include "plan_pattern.h"

#include <cstdio>
#include <memory>
#include <new>
#include <re2/re2.h>

struct pattern {
    explicit pattern(re2::StringPiece text, const RE2::Options &options) : compiled(text, options) {}
    RE2 compiled;
};

pattern *pattern_re2_open(Str text, char why[PATTERN_WHY_BYTES])
{
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(PATTERN_MEMORY_BYTES);
    options.set_never_capture(true);
    pattern *made = new (std::nothrow) pattern(re2::StringPiece(text.bytes, text.len), options);
    if (!made) {
        snprintf(why, PATTERN_WHY_BYTES, "no memory");
        return nullptr;
    }
    if (made->compiled.ok()) return made;
    snprintf(why, PATTERN_WHY_BYTES, "%s", made->compiled.error().c_str());
    delete made;
    return nullptr;
}

void pattern_close(pattern *pattern) { delete pattern; }

bool pattern_matches(const pattern *pattern, Str text)
{
    return pattern->compiled.Match(re2::StringPiece(text.bytes, text.len), 0, text.len, RE2::UNANCHORED, nullptr, 0);
}

/* derived: the configuration as the applier's options. */
#include "derived.h"

bool derived_parse_external(Str text, IdentityExternal *ret, Str *ret_field)
{
    Str rest, limit, name = str_cut(text, '=', &rest), field = str_cut(rest, ':', &limit);
    int64_t number = 0;
    bool is_field = str_starts(field, STR("traits.")) || str_starts(field, STR("context.")) ||
                    str_starts(field, STR("properties."));
    if (name.len < 2 || name.len > 32 || !is_field || field.len > LIMIT_ID_BYTES) return false;
    for (size_t at = 0; at < name.len; at++) {
        char c = name.bytes[at];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-') return false;
    }
    if (limit.len && !str_parse_int(limit, 1, 1000000, &number)) return false;
    *ret = (IdentityExternal){ name, (uint32_t)number };
    *ret_field = field;
    return true;
}

ApplyRules derived_rules(const struct config *config, Arena *arena)
{
    const ConfigTexts *texts = &config->identity.externals;
    IdentityExternal *externals = arena_new(arena, IdentityExternal, texts->count + 1);
    Str *fields = arena_new(arena, Str, texts->count + 1);
    size_t count = 0;
    for (size_t at = 0; at < texts->count; at++)             /* config_judge has seen them */
        count += derived_parse_external(texts->items[at], &externals[count], &fields[count]);
    return (ApplyRules){
        .identity = { .blocked = config->identity.blocked_values.items,
                      .blocked_count = config->identity.blocked_values.count, .externals = externals,
                      .external_count = count },
        .external_fields = fields,
    };
}

ApplyOptions derived_options(const struct config *config, struct journal *journal, Arena *arena)
{
    ApplyRules rules = derived_rules(config, arena);
    return (ApplyOptions){
        .journal = journal,
        .disk = os_disk(),
        .dice = os_dice(),
        .clock = os_clock(),
        .dir = arena_printf(arena, "%.*s/derived", STR_FORMAT(config->data)).bytes,
        .dedup_window_ms = config->dedup.window_ms,
        .identity_rules = rules.identity,
        .external_fields = rules.external_fields,
        .has_destinations = true,                            /* their store is there, whoever opens the applier */
    };
}

/* server_derived: the configuration as the applier's options. */
#include "server_derived.h"

PeopleRules derived_rules(const struct config *config, Arena *arena)
{
    const ConfigTexts *texts = &config->identity.externals;
    IdentityExternal *externals = arena_new(arena, IdentityExternal, texts->count + 1);
    Str *fields = arena_new(arena, Str, texts->count + 1);
    size_t count = 0;
    for (size_t at = 0; at < texts->count; at++)             /* config_judge has checked them */
        count += config_parse_external(texts->items[at], &externals[count], &fields[count]);
    return (PeopleRules){
        .identity = { .blocked = config->identity.blocked_values.items,
                      .blocked_count = config->identity.blocked_values.count, .externals = externals,
                      .external_count = count, .placeholders = (uint32_t)config->identity.placeholders },
        .external_fields = fields,
    };
}

DeriveOptions derived_options(const struct config *config, struct journal *journal, Arena *arena)
{
    PeopleRules rules = derived_rules(config, arena);
    return (DeriveOptions){
        .journal = journal,
        .disk = os_disk(),
        .dice = os_dice(),
        .clock = os_clock(),
        .dir = arena_printf(arena, "%.*s/derived", STR_FORMAT(config->data)).bytes,
        .dedup_window_ms = config->dedup.window_ms,
        .rules = rules,
        .stops_at_damage = config->journal.on_damage == ON_DAMAGE_STOP,
        .passes_newer = config->journal.on_newer == ON_NEWER_SKIP,
        .has_destinations = true,                            /* their store exists, whoever opens the applier */
    };
}

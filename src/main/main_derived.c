/* derived: the configuration as the applier's options. */
#include "derived.h"

IdentityRules derived_rules(const struct config *config, Arena *arena)
{
    (void)arena;
    return (IdentityRules){ .blocked = config->identity.blocked_values.items,
                            .blocked_count = config->identity.blocked_values.count };
}

ApplyOptions derived_options(const struct config *config, struct journal *journal, Arena *arena)
{
    return (ApplyOptions){
        .journal = journal,
        .disk = os_disk(),
        .dice = os_dice(),
        .clock = os_clock(),
        .dir = arena_printf(arena, "%.*s/derived", STR_FORMAT(config->data)).bytes,
        .dedup_window_ms = config->dedup.window_ms,
        .identity_rules = derived_rules(config, arena),
    };
}

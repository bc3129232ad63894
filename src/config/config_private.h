/* What the files of this folder share with each other; config.h is what others see. */
#ifndef ONYM_CONFIG_PRIVATE_H
#define ONYM_CONFIG_PRIVATE_H

#include "config.h"

/* Keeps one problem, its text cut to the size of an Err's; place says where it is (NULL: nowhere in a file). */
void config_complain(struct config_walk *walk, const Node *place, Str key, const char *format, ...) FORMAT(4, 5);
void config_complain_at(struct config_walk *walk, uint32_t line, uint32_t column, Str key, const char *format, ...)
    FORMAT(5, 6);
void config_warn(struct config_walk *walk, const Node *place, Str key, const char *format, ...) FORMAT(4, 5);

/* ---- Nodes -> values ---- */

typedef enum ConfigType {
    TEXT,           /* Str */
    SECRET,         /* Str that is never shown */
    TEXTS,          /* ConfigTexts: a list of texts, or one text alone */
    INT,            /* int64_t */
    BOOL,           /* bool: true false yes no on off */
    WORD,           /* int: the place of the word in the rule's unit, "keep|refuse" */
    DURATION,       /* int64_t milliseconds: 500ms 90s 15m 36h 30d 2w */
    SIZE,           /* int64_t bytes: 512 64kB 10MB 512MiB 2GiB */
    LISTEN,         /* ConfigListens: host:port, or a list of them */
    NODE,           /* const Node *: kept as it is */
    ENTRIES,        /* a list of maps, each by the rows of config_entries_of */
} ConfigType;

typedef enum ConfigWhen { LIVE, RESTART, NOT_YET } ConfigWhen;

typedef struct ConfigRule {
    const char *path;
    size_t offset;
    ConfigType type;
    const char *fallback, *least, *most, *unit;
    ConfigWhen when;
    const char *why;
} ConfigRule;

/* One source as written, before it becomes collect's Source. */
struct config_source {
    Str name, write_key, own_path;
    bool enabled;
    int kind;
    int64_t events_per_second, burst_events;
    ConfigTexts allowed_origins;
    const Node *device_mode;
    const Node *node;
};

/* What a list of the file may have in each of its entries. */
typedef struct ConfigEntries {
    const char *name;                    /* of the list: its key in the file */
    const ConfigRule *rules;
    size_t count, most;                  /* rules; entries */
    size_t size, node_offset;            /* sizeof the struct that an entry becomes; the offset of its const Node * */
    const char *settings;                /* an example of its `settings`, for the template; NULL: it has none */
} ConfigEntries;

extern const ConfigRule config_rules[];
extern const size_t config_rule_count;
/* The list that a rule of type ENTRIES is about; NULL for any other type. */
const ConfigEntries *config_entries_of(const ConfigRule *rule);

/* Reads one value of a simple type into the field; false if it complained. key is the name that the complaint
 * uses. */
bool config_read_value(struct config_walk *walk, const ConfigRule *rule, const Node *node, Str key, void *field);
/* Sets every field of the rules to its default. */
void config_set_defaults(struct config_walk *walk, const ConfigRule *rules, size_t count, void *base);
/* Does a field hold the same in both? */
bool config_value_equal(const ConfigRule *rule, const void *a, const void *b);

/* Checks what only the whole configuration shows: names and keys given twice, certificate without key, unknown sources;
 * and fills config->sources. root may be NULL. */
void config_judge(struct config_walk *walk, const Node *root, struct config *config,
                  const struct config_source *sources, size_t source_count);

/* device_mode of a source as the JSON that pages get; empty if it names no tool. shown: "sources[0]". */
Str config_read_device_mode(struct config_walk *walk, const Node *map, Str shown);

bool config_parse_size(Str text, int64_t *ret_bytes);
bool config_parse_listen(Str text, ConfigListen *ret);

#endif

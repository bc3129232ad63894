/* config: what the operator asked for, as plain values. A flag beats the file, and the file beats the default.
 *
 * What it is not: it opens no store and starts nothing. Layers below get their own option structs,
 * filled from this one. Every option is a row of config.tbl.h: its key in the file, its place here,
 * type, default, range and what it trades; conf/onym.yaml, `onym check-config --template` and the
 * complaints all come from there. To add an option: one row there, one field here.
 *
 * Rules
 *  1. Everything that is wrong is reported, not only the first problem: file, line, column, key, and the nearest known
 *     key if one was misspelt.
 *  2. ${NAME} and ${NAME:-otherwise} in any value; an unset NAME without otherwise is a problem.
 *     $${ is a literal ${. Nothing is expanded in what a variable holds.
 *  3. The arena owns everything. A reload loads into a fresh arena and does not touch the old one.
 *  4. Safe on any bytes: file size, nesting, number of values and of problems are bounded.
 *  5. Only `onym keys --secret` prints secrets.
 */
#ifndef ONYM_CONFIG_CONFIG_H
#define ONYM_CONFIG_CONFIG_H

#include "collect/collect.h"
#include "deliver/deliver.h"
#include "derive/derive.h"
#include "os/os.h"
#include "plan/plan.h"
#include "warehouse/warehouse.h"

/* An arena with so much room is enough for any configuration; pages that are not touched cost no memory. */
enum {
    CONFIG_ARENA_BYTES = 64 * 1024 * 1024,
    CONFIG_FILE_BYTES = 1024 * 1024,
    CONFIG_DEPTH = 32,
    CONFIG_DEPTH_MOST = 72,                /* for a tracking plan, which holds schemas */
    CONFIG_NODES = 100000,
    CONFIG_PROBLEMS = 100,                 /* more are counted, not kept */
};

/* ---- Values ---- */

typedef struct ConfigListen {
    Str text;                              /* as written: "127.0.0.1:8080", "[::]:8080", ":8080" */
    Str host;                              /* without brackets; empty: all addresses */
    uint16_t port;                         /* 0: any free one, for tests */
} ConfigListen;

typedef struct ConfigTexts { const Str *items; size_t count; } ConfigTexts;
typedef struct ConfigListens { const ConfigListen *items; size_t count; } ConfigListens;

typedef enum ConfigOnDamage { ON_DAMAGE_SKIP, ON_DAMAGE_STOP } ConfigOnDamage;
typedef enum ConfigOnNewer { ON_NEWER_STOP, ON_NEWER_SKIP } ConfigOnNewer;
typedef enum ConfigUnknownKeys { UNKNOWN_KEYS_KEEP, UNKNOWN_KEYS_REFUSE } ConfigUnknownKeys;
typedef enum ConfigSourceKind { SOURCE_KIND_BROWSER, SOURCE_KIND_SERVER } ConfigSourceKind;

/* A destination, kept as written: only its own file in destination/ knows what its settings mean. */
typedef struct ConfigDestination {
    Str name, type;
    bool is_enabled;
    ConfigTexts sources;                   /* names of sources; empty: all of them */
    const Node *settings;                  /* a map, or NULL */
    const Node *rules;                     /* a map, or NULL */
    const Node *node;                      /* the whole entry, for places in complaints */
} ConfigDestination;

/* A warehouse, kept as written, as a destination is: warehouse/ knows what its settings mean. */
typedef struct ConfigWarehouse {
    Str name, type;
    bool is_enabled;
    ConfigTexts sources;
    const Node *settings;                  /* a map, or NULL */
    const Node *node;
} ConfigWarehouse;

/* A further key for reading. role: the index of its word in the row's unit, the weakest first. */
typedef struct ConfigKey {
    Str name, key;
    int role;
    const Node *node;
} ConfigKey;

/* Who is told of the doctor's findings. format, severity: the place of the word in the row's unit. */
typedef struct ConfigAlert {
    Str url, secret;
    int format, severity;
    bool allow_private;
    const Node *node;
} ConfigAlert;

struct config {
    ConfigListens listen;
    Str data;                              /* the data directory */
    Str secret_key;                        /* empty until config_complete_keys */
    Str public_url;                        /* empty: made from listen */
    /* the tracking plan's file; empty: plan.yaml beside the configuration, if it is there */
    Str plan;
    int64_t threads;                       /* ingest threads; 0: one a core */
    int unknown_write_keys;                /* ConfigUnknownKeys */
    int64_t clock_skew_least_ms;
    bool keep_ip;
    bool has_ui;                           /* the dashboard, and sessions */
    Str ui_listen;                         /* the address of dashboard and API; empty: that of all else */
    ConfigTexts trusted_proxies;

    struct { int level, format; } log;                        /* LogLevel, LogFormat */
    struct { Str certificate, key; } tls;                     /* file names; both or none */
    struct { int64_t connections, idle_ms, request_ms, stop_ms; } limits;
    struct { int64_t age_ms, bytes, undelivered_ms; } retention;        /* 0: for ever, no limit */
    struct { int64_t segment_bytes, seal_level, reserve_bytes; int on_damage, on_newer; } journal;
    struct { int64_t window_ms; } dedup;
    struct { ConfigTexts blocked_values, externals; int64_t placeholders; } identity;
    struct { int64_t threads, memory_bytes; } queries;
    struct { ConfigTexts signup_events; Millis every_ms; } doctor;

    Source *sources;                       /* at least one after config_complete_keys */
    size_t source_count;
    ConfigKey *keys;
    size_t key_count;
    ConfigDestination *destinations;
    size_t destination_count;
    ConfigWarehouse *warehouses;
    size_t warehouse_count;
    ConfigAlert *alerts;
    size_t alert_count;

    Str file;                              /* the file that it came from; empty: defaults only */
    Str site;                              /* where the example site listens (`onym demo`); empty: there is none */
    bool has_made_keys;                    /* config_complete_keys wrote a new keys.yaml just now */
    bool has_kept_source;                  /* the only source is the one of keys.yaml */
};

/* ---- Loading ---- */

/* One setting from the command line, which beats the file's. Several with the same path make a list. */
typedef struct ConfigFlag {
    const char *flag;                      /* as the user knows it: "--listen" */
    const char *path;                      /* its path in config.tbl.h: "listen" */
    const char *text;
} ConfigFlag;

typedef struct ConfigOptions {
    const char *file;                      /* NULL: no file */
    const ConfigFlag *flags;
    size_t flag_count;
    struct disk *disk;                     /* for the file; not needed if file is NULL */
    const char *(*get_variable)(const char *name);            /* NULL: the environment's */
} ConfigOptions;

typedef struct ConfigProblem {
    uint32_t line, column;                 /* 0: no place in a file */
    bool is_warning;                       /* worth telling, but no reason to refuse */
    Str key;                               /* "sources[0].write_key"; may be empty */
    Str text;
} ConfigProblem;

struct config_problems {
    Str file;
    ConfigProblem items[CONFIG_PROBLEMS];  /* sorted by place */
    size_t count, error_count, dropped_count;
};

/* Reads the file, applies the flags, fills in defaults, judges. ERR_INPUT: there are problems that are more than
 * warnings, and err tells the first; other statuses: the file could not be read. problems is filled in
 * in any case, and may hold warnings when the status is OK. */
Status MUST config_load(const ConfigOptions *request, Arena *arena, struct config *ret,
                        struct config_problems *problems, Err *err);
/* The same for a text that is already here; complaints use name as the file's name. */
typedef struct ConfigText {
    Str text, name;
} ConfigText;
Status MUST config_parse(ConfigText file, const ConfigOptions *request, Arena *arena, struct config *ret,
                         struct config_problems *problems, Err *err);
/* OK if there are no problems but warnings; else ERR_INPUT with the first problem as its text. */
Status MUST config_sum_up(const struct config_problems *problems, Err *err);
/* Adds one that was found after the loading; its place is that of its key, "tls" or "plan", in the file of the
 * configuration. */
void config_note_problem(const struct config *config, struct disk *disk, Arena *arena, struct config_problems *problems,
                         const ConfigProblem *problem);
/* Appends one problem as "onym.yaml:12:3: error: sources[0]: ...\n". */
void config_write_problem(struct buf *buf, const struct config_problems *problems, const ConfigProblem *problem);

/* If the configuration gave no secret_key or no sources, takes them from <data>/keys.yaml. If that file does not exist
 * and may_make is true, it is made (mode 0600, with the directory). ERR_NOT_FOUND: it does not exist and
 * may not be made. Does nothing if the configuration gave both. */
Status MUST config_complete_keys(struct config *config, struct disk *disk, struct dice *dice, bool may_make,
                                 Arena *arena, Err *err);

/* The keys of options that differ and that need a restart, as "data, listen"; empty: none. */
Str config_list_restarts(const struct config *before, const struct config *after, Arena *arena);

/* The whole of conf/onym.yaml: every option with its default, unit, range and reason. */
void config_write_template(struct buf *buf);
/* docs/configuration.md, without the settings of each type of destination. */
void config_write_markdown(struct buf *buf);

/* ---- Other files of the same kind ---- */

/* One reading of one configuration. */
struct config_walk {
    Arena *arena;
    struct config_problems *problems;
    const char *(*get_variable)(const char *name);      /* NULL: nothing is expanded */
    bool is_deep;                                       /* CONFIG_DEPTH_MOST levels may be nested */
};

/* The file's one document as a tree, its texts expanded; NULL: it is empty, or there were complaints. */
const Node *config_read_yaml(struct config_walk *walk, Str text);

/* ---- The tracking plan (config_plan.c) ---- */

/* The compiled tracking plan of the configuration: the file that plan: names (relative to the configuration's file), or
 * else plan.yaml beside that file. *ret is NULL if there is none. ERR_INPUT: there are problems that are more than
 * warnings; other statuses: it could not be read. The arena is used only while reading. */
Status MUST config_load_plan(const struct config *config, struct disk *disk, Arena *arena, struct tracking_plan **ret,
                             struct config_problems *problems, Err *err);
/* The same for the file of this name. */
Status MUST config_read_plan(const char *file, struct disk *disk, Arena *arena, struct tracking_plan **ret,
                             struct config_problems *problems, Err *err);
/* The plan's file as a tree (YAML; JSON if its name says so), for code that compares plans. */
Status MUST config_read_plan_tree(const char *file, struct disk *disk, Arena *arena, const Node **ret,
                                  struct config_problems *problems, Err *err);

/* ---- As the folders below want it ---- */

/* NAME=FIELD[:LIMIT], as identity.externals has them. False if the text is not of that form. */
bool config_parse_external(Str text, IdentityExternal *ret, Str *ret_field);
/* One entry of the configuration in the form that deliver/ wants; borrows from the entry. */
DestinationConfig config_destination(const ConfigDestination *destination);
WarehouseConfig config_warehouse(const ConfigWarehouse *warehouse);
/* The directory of the journal, inside the data directory. */
const char *config_journal_dir(const struct config *config, Arena *arena);

#include "config_address.h"

#endif

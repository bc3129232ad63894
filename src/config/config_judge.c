/* What can be judged only when the whole configuration is known; and sources in the form that collect/ wants. */
#include "config_address.h"
#include "config_private.h"

#include <arpa/inet.h>

enum { NAME_BYTES = 64, SECRET_BYTES_LEAST = 16 };

static bool is_name(Str name)
{
    if (name.len == 0 || name.len > NAME_BYTES) return false;
    for (size_t at = 0; at < name.len; at++) {
        char c = name.bytes[at];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-') return false;
    }
    return true;
}

/* Printable ASCII without spaces: it fits into a header, a URL and Basic's user name. */
static bool is_key(Str key)
{
    if (key.len == 0 || key.len > LIMIT_WRITE_KEY_BYTES) return false;
    for (size_t at = 0; at < key.len; at++)
        if (key.bytes[at] <= ' ' || key.bytes[at] > '~' || key.bytes[at] == ':') return false;
    return true;
}

/* "https://www.example.com" or "http://localhost:3000": scheme, host, port, and no path. */
static bool is_origin(Str origin)
{
    Str rest = origin;
    if (str_starts(origin, STR("https://"))) rest = str_slice(origin, 8, origin.len);
    else if (str_starts(origin, STR("http://"))) rest = str_slice(origin, 7, origin.len);
    else return false;
    for (size_t at = 0; at < rest.len; at++)
        if (rest.bytes[at] <= ' ' || rest.bytes[at] > '~' || strchr("/?#*,", rest.bytes[at])) return false;
    return rest.len > 0;
}

static const Node *place_of(const Node *entry, const char *key)
{
    const Node *node = node_find(entry, str_from(key));
    return node ? node : entry;
}

static void judge_source(struct config_walk *walk, const struct config *config, const struct config_source *sources,
                         size_t at)
{
    const struct config_source *source = &sources[at];
    Str shown = arena_printf(walk->arena, "sources[%zu]", at);
    if (source->name.len && !is_name(source->name))
        config_complain(walk, place_of(source->node, "name"), shown,
                        "a name is 1 to %d letters, digits, \".\", \"_\" or \"-\"", NAME_BYTES);
    if (source->write_key.len && !is_key(source->write_key))
        config_complain(walk, place_of(source->node, "write_key"), shown,
                        "a write_key is 1 to %d printable characters without spaces or \":\"", LIMIT_WRITE_KEY_BYTES);
    if (source->write_key.len && str_equal(source->write_key, config->secret_key))
        config_complain(walk, place_of(source->node, "write_key"), shown,
                        "its write_key is the secret_key; write keys are public");
    if (source->own_path.len && !source_is_own_path(source->own_path))
        config_complain(walk, place_of(source->node, "own_path"), shown,
                        "an own_path is 3 to 40 letters, digits, \"-\" or \"_\", no word of Onym's other paths");
    if (source->device_mode && source->kind == SOURCE_KIND_SERVER)
        config_warn(walk, source->device_mode, shown, "device_mode is for pages; a source of kind server has none");
    for (size_t item = 0; item < source->allowed_origins.count; item++)
        if (!is_origin(source->allowed_origins.items[item]))
            config_complain(walk, place_of(source->node, "allowed_origins"), shown,
                            "an origin is like https://www.example.com: scheme and host, no path, no \"*\"");
    for (size_t before = 0; before < at; before++) {
        if (source->name.len && str_equal(source->name, sources[before].name))
            config_complain(walk, place_of(source->node, "name"), shown, "has the name of sources[%zu]", before);
        if (source->own_path.len && str_equal(source->own_path, sources[before].own_path))
            config_complain(walk, place_of(source->node, "own_path"), shown, "has the own_path of sources[%zu]",
                            before);
        if (source->write_key.len && str_equal(source->write_key, sources[before].write_key))
            config_complain(walk, place_of(source->node, "write_key"), shown, "has the write_key of sources[%zu]",
                            before);
    }
}

static Source *make_sources(struct config_walk *walk, const struct config_source *sources, size_t count)
{
    Source *made = arena_new(walk->arena, Source, count + 1);      /* with room for the source of keys.yaml */
    for (size_t at = 0; at < count; at++) {
        const struct config_source *from = &sources[at];
        made[at] = (Source){
            .name = from->name, .write_key = from->write_key, .own_path = from->own_path,
            .device_mode = config_read_device_mode(walk, from->device_mode,
                                                   arena_printf(walk->arena, "sources[%zu]", at)),
            .is_enabled = from->enabled, .is_server = from->kind == SOURCE_KIND_SERVER,
            .events_per_second = (uint32_t)from->events_per_second, .burst_events = (uint32_t)from->burst_events,
            .allowed_origins = from->allowed_origins.items, .allowed_origin_count = from->allowed_origins.count,
        };
    }
    return made;
}

static void judge_key(struct config_walk *walk, const struct config *config, size_t at)
{
    const ConfigKey *key = &config->keys[at];
    Str shown = arena_printf(walk->arena, "keys[%zu]", at);
    if (key->name.len && (!is_name(key->name) || str_equal(key->name, STR("secret_key"))))
        config_complain(walk, place_of(key->node, "name"), shown,
                        "a name is 1 to %d letters, digits, \".\", \"_\" or \"-\", and not secret_key", NAME_BYTES);
    if (key->key.len && !is_key(key->key))
        config_complain(walk, place_of(key->node, "key"), shown,
                        "a key is 1 to %d printable characters without spaces or \":\"", LIMIT_WRITE_KEY_BYTES);
    else if (key->key.len && key->key.len < SECRET_BYTES_LEAST)
        config_warn(walk, place_of(key->node, "key"), shown, "is shorter than %d characters; anybody can guess it",
                    SECRET_BYTES_LEAST);
    if (key->key.len && str_equal(key->key, config->secret_key))
        config_complain(walk, place_of(key->node, "key"), shown, "is the secret_key, which has every role already");
    for (size_t source = 0; source < config->source_count; source++)
        if (key->key.len && str_equal(key->key, config->sources[source].write_key))
            config_complain(walk, place_of(key->node, "key"), shown,
                            "is the write_key of sources[%zu], which is public", source);
    for (size_t before = 0; before < at; before++) {
        if (key->name.len && str_equal(key->name, config->keys[before].name))
            config_complain(walk, place_of(key->node, "name"), shown, "has the name of keys[%zu]", before);
        if (key->key.len && str_equal(key->key, config->keys[before].key))
            config_complain(walk, place_of(key->node, "key"), shown, "has the key of keys[%zu]", before);
    }
}

static void judge_source_names(struct config_walk *walk, const struct config *config, ConfigTexts names,
                               const Node *place, Str shown)
{
    for (size_t item = 0; item < names.count; item++) {
        size_t source = 0;
        while (source < config->source_count && !str_equal(names.items[item], config->sources[source].name)) source++;
        if (source == config->source_count)
            config_complain(walk, place, shown, "sources has no \"%.*s\"",
                            STR_FORMAT(str_slice(names.items[item], 0, NAME_BYTES)));
    }
}

static void judge_destination(struct config_walk *walk, const struct config *config, size_t at)
{
    const ConfigDestination *destination = &config->destinations[at];
    Str shown = arena_printf(walk->arena, "destinations[%zu]", at);
    if (destination->name.len && !is_name(destination->name))
        config_complain(walk, place_of(destination->node, "name"), shown,
                        "a name is 1 to %d letters, digits, \".\", \"_\" or \"-\"", NAME_BYTES);
    for (size_t before = 0; before < at; before++)
        if (destination->name.len && str_equal(destination->name, config->destinations[before].name))
            config_complain(walk, place_of(destination->node, "name"), shown, "has the name of destinations[%zu]",
                            before);
    judge_source_names(walk, config, destination->sources, place_of(destination->node, "sources"), shown);
}

/* err's field is a setting, or a key of the entry. */
static void judge_warehouse(struct config_walk *walk, const struct config *config, size_t at)
{
    const ConfigWarehouse *warehouse = &config->warehouses[at];
    WarehouseConfig wanted = config_warehouse(warehouse);
    Str shown = arena_printf(walk->arena, "warehouses[%zu]", at);
    Err err = { 0 };
    if (warehouse->name.len && !is_name(warehouse->name))
        config_complain(walk, place_of(warehouse->node, "name"), shown,
                        "a name is 1 to %d letters, digits, \".\", \"_\" or \"-\"", NAME_BYTES);
    for (size_t before = 0; before < at; before++)
        if (warehouse->name.len && str_equal(warehouse->name, config->warehouses[before].name))
            config_complain(walk, place_of(warehouse->node, "name"), shown, "has the name of warehouses[%zu]", before);
    for (size_t other = 0; other < config->destination_count; other++)
        if (warehouse->name.len && str_equal(warehouse->name, config->destinations[other].name))
            config_complain(walk, place_of(warehouse->node, "name"), shown, "has the name of destinations[%zu]", other);
    judge_source_names(walk, config, warehouse->sources, place_of(warehouse->node, "sources"), shown);
    if (!is_name(warehouse->name) || !warehouse->type.len || !warehouse_check(&wanted, *walk->arena, &err)) return;
    const Node *place = node_find(warehouse->settings, str_from(err.field));
    config_complain(walk, place ? place : place_of(warehouse->node, err.field), shown, "%s", err.text);
}

/* The URL is not quoted: it is a secret. */
static void judge_alert(struct config_walk *walk, const struct config *config, size_t at)
{
    const ConfigAlert *alert = &config->alerts[at];
    FetchRequest request = { .method = STR("POST"), .url = alert->url };
    Str shown = arena_printf(walk->arena, "alerts[%zu]", at);
    if (!alert->url.len) return;                            /* complained about already */
    if (fetch_check_request(&request, NULL))
        config_complain(walk, place_of(alert->node, "url"), shown, "url is not an http:// or https:// URL");
    for (size_t before = 0; before < at; before++)
        if (str_equal(alert->url, config->alerts[before].url))
            config_complain(walk, place_of(alert->node, "url"), shown, "has the url of alerts[%zu]", before);
    if (!config->doctor.every_ms)
        config_warn(walk, alert->node, shown, "tells nothing: doctor.every is 0, so the server does not examine");
}

struct advising {
    struct config_walk *walk;
    const ConfigDestination *destination;
    Str shown;
};

static void warn_of_setting(void *context, const char *setting, const char *text)
{
    const struct advising *advising = context;
    const Node *place = node_find(advising->destination->settings, str_from(setting));
    config_warn(advising->walk, place ? place : advising->destination->node, advising->shown, "%s: %s", setting, text);
}

/* Asks the destination's type about settings and rules. err's field is a key of one of them, or of the entry. */
static void judge_by_type(struct config_walk *walk, const struct config *config, size_t at)
{
    const ConfigDestination *destination = &config->destinations[at];
    DestinationConfig wanted = config_destination(destination);
    Str shown = arena_printf(walk->arena, "destinations[%zu]", at);
    Err err = { 0 };
    if (!is_name(destination->name) || destination->type.len == 0) return;      /* complained about already */
    if (deliver_check_config(&wanted, &err) == OK) {
        struct advising advising = { walk, destination, shown };
        deliver_advise(&wanted, warn_of_setting, &advising);
        return;
    }
    const Node *place = node_find(destination->settings, str_from(err.field));
    if (!place) place = node_find(destination->rules, str_from(err.field));
    config_complain(walk, place ? place : place_of(destination->node, err.field), shown, "%s", err.text);
}

static void judge_url(struct config_walk *walk, const Node *root, const struct config *config)
{
    Str url = config->public_url;
    if (url.len == 0) return;
    if (!is_origin(str_ends(url, STR("/")) ? str_slice(url, 0, url.len - 1) : url))
        config_complain(walk, node_find(root, STR("public_url")), STR("public_url"),
                        "wanted a URL without a path, like https://events.example.com");
}

/* Does the host stand for all addresses of this machine, among them the other one? 0.0.0.0 is those of IPv4 alone. */
static bool has_address(Str host, Str other)
{
    if (str_equal(host, STR("0.0.0.0"))) return !str_contains(other, STR(":")) || str_equal(other, STR("::"));
    return !host.len || str_equal(host, STR("::"));
}

/* Only one socket may listen on both: the same host, spelt one way or the other, or one that stands for all. */
static bool is_same_address(const ConfigListen *one, const ConfigListen *other)
{
    static const Str localhost = STR("localhost"), loopback = STR("127.0.0.1");
    if (!one->port || one->port != other->port) return false;
    if (has_address(one->host, other->host) || has_address(other->host, one->host)) return true;
    Str a = str_equal_no_case(one->host, localhost) ? loopback : one->host;
    Str b = str_equal_no_case(other->host, localhost) ? loopback : other->host;
    return str_equal_no_case(a, b);
}

static void judge_collisions(struct config_walk *walk, const Node *root, const ConfigListens *listen)
{
    for (size_t at = 0; at < listen->count; at++)
        for (size_t before = 0; before < at; before++)
            if (is_same_address(&listen->items[before], &listen->items[at]))
                config_complain(walk, node_find(root, STR("listen")), STR("listen"),
                                "%.*s and %.*s are the same address; give one of them another port",
                                STR_FORMAT(listen->items[before].text), STR_FORMAT(listen->items[at].text));
}

/* This is not wrong behind a proxy or in a container; but the operator must see what it means. */
static void judge_listen(struct config_walk *walk, const Node *root, const struct config *config)
{
    for (size_t at = 0; at < config->listen.count && !config->tls.certificate.len; at++)
        if (address_is_public(&config->listen.items[at]))
            config_warn(walk, node_find(root, STR("listen")), STR("listen"),
                        "%.*s can be reached from other machines, without tls: keys and events travel in the clear; "
                        "right only behind a proxy that has TLS", STR_FORMAT(config->listen.items[at].text));
}


/* "10.0.0.0/8", "::1", as http/ reads them: what it cannot read it believes nobody for, in silence. */
static bool is_network(Str text)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    int64_t bits;
    Str length, base = str_cut(text, '/', &length);
    if (!base.len || base.len >= sizeof address) return false;
    memcpy(address, base.bytes, base.len);
    address[base.len] = 0;
    bool is_six = inet_pton(AF_INET6, address, bytes) == 1;
    if (!is_six && inet_pton(AF_INET, address, bytes) != 1) return false;
    return base.len == text.len || str_parse_int(length, 0, is_six ? 128 : 32, &bits);
}

static void judge_proxies(struct config_walk *walk, const Node *root, const struct config *config)
{
    for (size_t at = 0; at < config->trusted_proxies.count; at++)
        if (!is_network(config->trusted_proxies.items[at]))
            config_complain(walk, node_find(root, STR("trusted_proxies")), STR("trusted_proxies"),
                            "\"%.*s\" is no address or network like 127.0.0.1, 10.0.0.0/8 or ::1; names are not "
                            "looked up",
                            STR_FORMAT(str_slice(config->trusted_proxies.items[at], 0, NAME_BYTES)));
}

static void judge_ui_listen(struct config_walk *walk, const Node *root, const struct config *config)
{
    ConfigListen listen;
    const Node *node = node_find(root, STR("ui_listen"));
    if (!config->ui_listen.len) return;
    if (!address_read_ui(config, &listen)) {
        config_complain(walk, node, STR("ui_listen"), "no address like 127.0.0.1:8081, [::1]:8081 or :8081");
        return;
    }
    for (size_t at = 0; at < config->listen.count; at++)
        if (is_same_address(&listen, &config->listen.items[at])) {
            config_complain(walk, node, STR("ui_listen"),
                            "%.*s is an address of listen, too (%.*s); give it another port",
                            STR_FORMAT(config->ui_listen), STR_FORMAT(config->listen.items[at].text));
            return;
        }
    if (address_is_public(&listen) && !config->tls.certificate.len)
        config_warn(walk, node, STR("ui_listen"), "%.*s can be reached from other machines, without tls: keys and what "
                    "people did travel in the clear", STR_FORMAT(config->ui_listen));
}

/* Words in front of an id, as in user_id:12345, that say another kind already. */
static bool is_kind_of_onym(Str name)
{
    static const char *const taken[] = { "user_id", "anonymous_id", "person_id", "group_id", "segment_id" };
    size_t at = 0;
    while (at < countof(taken) && !str_equal(name, str_from(taken[at]))) at++;
    return at < countof(taken);
}

static void judge_externals(struct config_walk *walk, const Node *root, const struct config *config)
{
    enum { MOST = IDENTITY_KINDS - IDENTITY_EXTERNAL };
    const ConfigTexts *texts = &config->identity.externals;
    const Node *identity = node_find(root, STR("identity")), *node = identity ? place_of(identity, "externals") : NULL;
    IdentityExternal seen[MOST];
    if (texts->count > MOST) config_complain(walk, node, STR("identity.externals"), "at most %d kinds", MOST);
    for (size_t at = 0; at < texts->count && at < MOST; at++) {
        Str field;
        if (!config_parse_external(texts->items[at], &seen[at], &field)) {
            config_complain(walk, node, STR("identity.externals"),
                            "wanted NAME=FIELD, or with :LIMIT or :fold after it, like email=traits.email:5");
            return;
        }
        if (is_kind_of_onym(seen[at].name))
            config_complain(walk, node, STR("identity.externals"), "%.*s is a kind of Onym's own; choose another name",
                            STR_FORMAT(seen[at].name));
        for (size_t before = 0; before < at; before++)
            if (str_equal(seen[at].name, seen[before].name))
                config_complain(walk, node, STR("identity.externals"), "the name %.*s stands there twice",
                                STR_FORMAT(seen[at].name));
    }
}

void config_judge(struct config_walk *walk, const Node *root, struct config *config,
                  const struct config_source *sources, size_t source_count)
{
    for (size_t at = 0; at < source_count; at++) judge_source(walk, config, sources, at);
    config->sources = make_sources(walk, sources, source_count);
    config->source_count = source_count;
    for (size_t at = 0; at < config->destination_count; at++) {
        judge_destination(walk, config, at);
        judge_by_type(walk, config, at);
    }
    for (size_t at = 0; at < config->warehouse_count; at++) judge_warehouse(walk, config, at);
    for (size_t at = 0; at < config->alert_count; at++) judge_alert(walk, config, at);
    for (size_t at = 0; at < config->key_count; at++) judge_key(walk, config, at);
    judge_listen(walk, root, config);
    judge_collisions(walk, root, &config->listen);
    judge_ui_listen(walk, root, config);
    judge_proxies(walk, root, config);
    judge_url(walk, root, config);
    judge_externals(walk, root, config);
    const Node *tls = node_find(root, STR("tls"));
    if (!config->tls.certificate.len != !config->tls.key.len)
        config_complain(walk, tls, STR("tls"), "wants both certificate and key");
    if (config->data.len == 0)
        config_complain(walk, node_find(root, STR("data")), STR("data"), "is empty; wanted a directory");
    const Node *secret = node_find(root, STR("secret_key"));
    if (secret && config->secret_key.len == 0)
        config_complain(walk, secret, STR("secret_key"),
                        "is empty; give one, or leave the line out and one is made");
    else if (secret && !is_key(config->secret_key))
        config_complain(walk, secret, STR("secret_key"), "wanted printable characters without spaces or \":\"");
    else if (secret && config->secret_key.len < SECRET_BYTES_LEAST)
        config_warn(walk, secret, STR("secret_key"), "is shorter than %d characters; anybody can guess it",
                    SECRET_BYTES_LEAST);
}

/* ---- As the folders below want it ---- */

bool config_parse_external(Str text, IdentityExternal *ret, Str *ret_field)
{
    Str rest, options, name = str_cut(text, '=', &rest), field = str_cut(rest, ':', &options);
    IdentityExternal external = { .name = name };
    int64_t number = 0;
    bool is_field = str_starts(field, STR("traits.")) || str_starts(field, STR("context.")) ||
                    str_starts(field, STR("properties."));
    if (name.len < 2 || name.len > 32 || !is_field || field.len > LIMIT_ID_BYTES) return false;
    for (size_t at = 0; at < name.len; at++) {
        char c = name.bytes[at];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-') return false;
    }
    while (options.len) {
        Str option = str_cut(options, ':', &options);
        if (str_equal(option, STR("fold"))) external.folds = true;
        else if (str_parse_int(option, 1, 1000000, &number)) external.limit = (uint32_t)number;
        else return false;
    }
    *ret = external;
    *ret_field = field;
    return true;
}

DestinationConfig config_destination(const ConfigDestination *destination)
{
    return (DestinationConfig){
        .name = destination->name, .type = destination->type, .is_enabled = destination->is_enabled,
        .settings = destination->settings, .rules = destination->rules,
        .sources = destination->sources.items, .source_count = destination->sources.count,
    };
}

WarehouseConfig config_warehouse(const ConfigWarehouse *warehouse)
{
    return (WarehouseConfig){
        .name = warehouse->name, .type = warehouse->type, .sources = warehouse->sources.items,
        .source_count = warehouse->sources.count, .settings = warehouse->settings,
    };
}

const char *config_journal_dir(const struct config *config, Arena *arena)
{
    return arena_printf(arena, "%.*s/journal", STR_FORMAT(config->data)).bytes;
}

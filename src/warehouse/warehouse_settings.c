/* warehouse_settings: each setting with its rule. */
#include "warehouse_settings.h"

#include "os/os.h"

static const Str known[] = { { "url", 3 }, { "schema", 6 }, { "naming", 6 }, { "every", 5 },
                             { "people", 6 }, { "tables", 6 }, { "skip", 4 } };

static Status check_known(const Node *settings, Err *err)
{
    node_each(child, settings) {
        size_t at = 0;
        while (at < countof(known) && !str_equal(known[at], child->key)) at++;
        if (at < countof(known)) continue;
        Str near = nearest_word(child->key, known, countof(known));
        Str key = str_slice(child->key, 0, 40);
        if (near.len) return err_set_field(err, "settings", "unknown setting %.*s; did you mean %.*s?", STR_FORMAT(key),
                                           STR_FORMAT(near));
        return err_set_field(err, "settings", "unknown setting %.*s; there are url, schema, naming, every, "
                             "people, tables, skip",
                             STR_FORMAT(key));
    }
    return OK;
}

static Status read_schema(const WarehouseConfig *config, Arena *arena, Str *ret, Err *err)
{
    Str given = node_text(config->settings, STR("schema"), STR(""));
    *ret = given.len ? given : warehouse_name(WAREHOUSE_NAMING_SEGMENT, config->name, arena);
    bool is_name = ret->len > 0 && ret->len <= WAREHOUSE_NAME_BYTES && !str_starts(*ret, STR("pg_"));
    for (size_t at = 0; at < ret->len; at++) {
        char c = ret->bytes[at];
        is_name &= (c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9' && at > 0);
    }
    if (is_name) return OK;
    return err_set_field(err, "schema", "settings.schema: \"%.*s\" is no name of a schema: a-z, 0-9 and _, "
                         "no digit in front, at most %d, not pg_", STR_FORMAT(str_slice(*ret, 0, 70)),
                         WAREHOUSE_NAME_BYTES);
}

static Status read_naming(const Node *settings, WarehouseNaming *ret, Err *err)
{
    Str word = node_text(settings, STR("naming"), STR("segment"));
    *ret = str_equal(word, STR("rudderstack")) ? WAREHOUSE_NAMING_RUDDERSTACK : WAREHOUSE_NAMING_SEGMENT;
    if (*ret == WAREHOUSE_NAMING_RUDDERSTACK || str_equal(word, STR("segment"))) return OK;
    return err_set_field(err, "naming", "settings.naming: \"%.*s\" is neither segment nor rudderstack",
                         STR_FORMAT(str_slice(word, 0, 40)));
}

static Status read_every(const Node *settings, Millis *ret, Err *err)
{
    Str text = node_text(settings, STR("every"), STR(""));
    *ret = 0;
    if (!text.len || (duration_parse(text, ret) && *ret >= 100 && *ret <= INT64_C(7) * 86400000)) return OK;
    return err_set_field(err, "every", "settings.every: \"%.*s\" is no time from 100ms to 7d",
                         STR_FORMAT(str_slice(text, 0, 40)));
}

/* Who names sources wants those alone: people are put together of all sources, and would tell of the others. */
static Status read_people(const WarehouseConfig *config, bool *ret, Err *err)
{
    Str word = node_text(config->settings, STR("people"), config->source_count ? STR("false") : STR("true"));
    *ret = str_equal(word, STR("true"));
    if (*ret || str_equal(word, STR("false"))) return OK;
    return err_set_field(err, "people", "settings.people: \"%.*s\" is neither true nor false",
                         STR_FORMAT(str_slice(word, 0, 40)));
}

static Status read_patterns(const Node *settings, const char *key, Arena *arena, const Str **ret, size_t *ret_count,
                            Err *err)
{
    const Node *list = node_find(settings, str_from(key));
    *ret = NULL;
    *ret_count = 0;
    if (!list) return OK;
    if (list->kind != NODE_LIST || list->count > WAREHOUSE_PATTERNS_MOST)
        return err_set_field(err, key, "settings.%s is no list of at most %d names", key, WAREHOUSE_PATTERNS_MOST);
    Str *patterns = arena_new(arena, Str, list->count);
    node_each(child, list) {
        if (child->kind != NODE_TEXT || !warehouse_is_pattern(child->text))
            return err_set_field(err, key, "settings.%s: \"%.*s\" is no name of a table, or of a table and a column, "
                                 "as pages, order_*, users.email, *.context_ip", key,
                                 STR_FORMAT(str_slice(child->text, 0, 60)));
        if (str_equal(str_from(key), STR("tables")) && memchr(child->text.bytes, '.', child->text.len))
            return err_set_field(err, key, "settings.tables: \"%.*s\" names a column; columns can be left out, by skip",
                                 STR_FORMAT(str_slice(child->text, 0, 60)));
        patterns[(*ret_count)++] = arena_copy(arena, child->text);
    }
    *ret = patterns;
    return OK;
}

Status warehouse_read_settings(const WarehouseConfig *config, Arena *arena, WarehouseSettings *ret, Err *err)
{
    *ret = (WarehouseSettings){ 0 };
    if (!str_equal(config->type, STR("postgres")))
        return err_set_field(err, "type", "type %.*s is not known; there is postgres",
                             STR_FORMAT(str_slice(config->type, 0, 40)));
    Status s = check_known(config->settings, err);
    if (s) return s;
    ret->url = node_text(config->settings, STR("url"), STR(""));
    if (!ret->url.len)
        return err_set_field(err, "settings", "settings has no url, such as postgres://onym@127.0.0.1/analytics");
    s = sql_check_url(ret->url, err);
    if (s) {
        Err why = *err;
        return err_set_field(err, "url", "settings.url %s", why.text);
    }
    s = read_schema(config, arena, &ret->schema, err);
    if (!s) s = read_naming(config->settings, &ret->naming, err);
    if (!s) s = read_every(config->settings, &ret->every_ms, err);
    if (!s) s = read_people(config, &ret->has_people, err);
    if (!s) s = read_patterns(config->settings, "tables", arena, &ret->choice.only, &ret->choice.only_count, err);
    if (!s) s = read_patterns(config->settings, "skip", arena, &ret->choice.skip, &ret->choice.skip_count, err);
    return s;
}

Status warehouse_check(const WarehouseConfig *config, Arena scratch, Err *err)
{
    WarehouseSettings settings;
    return warehouse_read_settings(config, &scratch, &settings, err);
}

/* config_address: the URL at which this machine reaches a server, and the file that keeps it. */
#include "config_address.h"
#include "config_private.h"

#include <stdio.h>

enum { ADDRESS_BYTES = 1024 };

static bool address_path(const struct config *config, char path[4200])
{
    return (size_t)snprintf(path, 4200, "%.*s/address", STR_FORMAT(config->data)) < 4200;
}

static Str url_of(const struct config *config, const ConfigListen *listen, uint16_t port, Arena *arena)
{
    bool is_all = listen->host.len == 0 || str_equal(listen->host, STR("0.0.0.0"))
                  || str_equal(listen->host, STR("::"));
    Str host = is_all ? STR("127.0.0.1") : listen->host;
    bool is_v6 = memchr(host.bytes, ':', host.len);
    return arena_printf(arena, "%s://%s%.*s%s:%u", config->tls.certificate.len ? "https" : "http", is_v6 ? "[" : "",
                        STR_FORMAT(host), is_v6 ? "]" : "", port ? port : listen->port);
}

Str address_url(const struct config *config, uint16_t port, Arena *arena)
{
    return url_of(config, &config->listen.items[0], port, arena);
}

bool address_read_ui(const struct config *config, ConfigListen *ret)
{
    *ret = config->listen.items[0];
    return config->ui_listen.len && config_parse_listen(config->ui_listen, ret);
}

Str address_ui_url(const struct config *config, uint16_t port, Arena *arena)
{
    ConfigListen listen;
    (void)address_read_ui(config, &listen);
    return url_of(config, &listen, port, arena);
}

bool address_is_public(const ConfigListen *listen)
{
    Str host = listen->host;
    return !str_equal_no_case(host, STR("localhost")) && !str_starts(host, STR("127.")) &&
           !str_equal(host, STR("::1")) && !str_starts(host, STR("::ffff:127."));
}

static bool is_url(Str text)
{
    for (size_t at = 0; at < text.len; at++)
        if ((unsigned char)text.bytes[at] <= ' ' || text.bytes[at] == 0x7f) return false;
    return str_starts(text, STR("http://")) || str_starts(text, STR("https://"));
}

Str address_find(const struct config *config, const char *url, Arena *arena)
{
    char path[4200];
    Str base = str_from(url);
    if (!base.len && address_path(config, path)) {
        if (disk_read_file(os_disk(), path, ADDRESS_BYTES, arena, &base, NULL)) base = STR("");
        base = str_trim(base);
        if (!is_url(base)) base = STR("");
    }
    ConfigListen listen;
    (void)address_read_ui(config, &listen);
    if (!base.len && listen.port) base = address_ui_url(config, 0, arena);
    while (base.len && base.bytes[base.len - 1] == '/') base.len--;
    return base;
}

Status address_keep(const struct config *config, uint16_t port, Err *err)
{
    char path[4200], text[ADDRESS_BYTES];
    struct region region;
    if (!address_path(config, path)) return err_set_field(err, "data", "the path is too long");
    region_open(&region, 64 * 1024);
    Arena arena = region_arena(&region);
    Str url = address_ui_url(config, port, &arena);
    int length = snprintf(text, sizeof text, "%.*s\n", STR_FORMAT(url));
    Status s = (size_t)length < sizeof text ? disk_write_file(os_disk(), path, str_of(text, (size_t)length), err) : OK;
    region_close(&region);
    return s;
}

void address_forget(const struct config *config)
{
    char path[4200];
    if (address_path(config, path)) IGNORE(os_disk()->remove(os_disk(), path, NULL)); /* a hint: config_address.h */
}

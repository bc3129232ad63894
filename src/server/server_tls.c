/* server_tls: files that are no PEM are told by name. */
#include "server_tls.h"

#include <stdio.h>

#include "os/os.h"

static Status read_pem(Arena *arena, const char *option, const char *label, Str path, const char **ret, Err *err)
{
    char text[4096];
    Str pem;
    snprintf(text, sizeof text, "%.*s", STR_FORMAT(path));
    Status s = disk_read_file(os_disk(), text, 1024 * 1024, arena, &pem, err);
    if (s) return err_wrap(err, s, "%s", option);
    *ret = arena_copy(arena, pem).bytes;
    if (strstr(*ret, label)) return OK;
    return err_set(err, ERR_INPUT, "%s %s: has no \"%s-----\"; wanted a PEM file, see docs/operating.md",
                   option, text, label);
}

Status server_read_tls(const struct config *config, struct region *region, HttpOptions *options, Err *err)
{
    if (!config->tls.certificate.len) return OK;
    region_open(region, 8 * 1024 * 1024);
    Arena arena = region_arena(region);
    Status s = read_pem(&arena, "tls.certificate", "BEGIN CERTIFICATE", config->tls.certificate,
                        &options->tls_certificate_pem, err);
    if (s) return s;
    return read_pem(&arena, "tls.key", "PRIVATE KEY", config->tls.key, &options->tls_key_pem, err);
}

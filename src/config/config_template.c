/* conf/onym.yaml, printed from the table that the program reads by, so the two cannot differ. */
#include "config_private.h"

enum { COLUMNS = 100 };

/* Words wrapped into comment lines. */
static void put_comment(struct buf *buf, const char *indent, Str text)
{
    size_t column = 0, indent_len = strlen(indent);
    while (text.len) {
        Str word = str_cut(text, ' ', &text);
        if (column && column + 1 + word.len > COLUMNS) buf_char(buf, '\n'), column = 0;
        if (column == 0) buf_printf(buf, "%s#", indent), column = indent_len + 1;
        buf_printf(buf, " %.*s", STR_FORMAT(word));
        column += 1 + word.len;
    }
    buf_char(buf, '\n');
}

static void put_unit(struct buf *buf, const char *indent, const ConfigRule *rule)
{
    buf_printf(buf, "%s# [", indent);
    for (const char *c = rule->unit; *c; c++) {
        if (*c == '|') buf_str_put(buf, STR(" or "));
        else buf_char(buf, *c);
    }
    if (rule->least[0]) buf_printf(buf, ", %s to %s", rule->least, rule->most);
    buf_str_put(buf, !rule->fallback ? STR(", must be given") : STR(""));
    static const char *const when[] = {
        [LIVE] = "SIGHUP reloads", [RESTART] = "read at the start", [NOT_YET] = "not used yet",
    };
    buf_printf(buf, "; %s]\n", when[rule->when]);
}

static void put_entry(struct buf *buf, const ConfigEntries *entries)
{
    buf_printf(buf, "#%s:\n", entries->name);
    for (size_t at = 0; at < entries->count; at++) {
        const ConfigRule *rule = &entries->rules[at];
        const char *value = rule->type == NODE ? "{}" : rule->fallback ? rule->fallback : "...";
        put_comment(buf, "#    ", str_from(rule->why));
        put_unit(buf, "#    ", rule);
        if (strcmp(rule->path, "settings") == 0 && entries->settings) value = entries->settings;
        buf_printf(buf, "#  %s %s: %s\n", at == 0 ? "-" : " ", rule->path, value);
    }
}

void config_write_template(struct buf *buf)
{
    buf_str_put(buf, STR(
        "# Onym's configuration: every option, with its default. A line that begins with \"#\" directly before\n"
        "# a key is an option at its default; take the # away to change it. Printed by\n"
        "# `onym check-config --template`; check yours with `onym check-config --config onym.yaml`.\n"
        "#\n"
        "# ${NAME} and ${NAME:-otherwise} take a value from the environment; inside [ ] and { } put it in\n"
        "# quotes. Durations: 500ms 90s 15m 36h 30d 2w. Sizes: 64kB 10MB (thousands), 512MiB 2GiB (1024s).\n"
        "# Unknown keys are errors.\n"));
    Str section = STR("");
    for (size_t at = 0; at < config_rule_count; at++) {
        const ConfigRule *rule = &config_rules[at];
        Str key, head = str_cut(str_from(rule->path), '.', &key);
        bool is_inside = key.len > 0;
        const char *indent = is_inside ? "  " : "";
        buf_char(buf, '\n');
        if (is_inside && !str_equal(section, head)) buf_printf(buf, "%.*s:\n", STR_FORMAT(head));
        section = is_inside ? head : STR("");
        put_comment(buf, indent, str_from(rule->why));
        put_unit(buf, indent, rule);
        const char *value = rule->fallback && rule->fallback[0] ? rule->fallback : "\"\"";
        if (rule->type == SECRET) value = "${ONYM_SECRET_KEY}";
        const ConfigEntries *entries = config_entries_of(rule);
        if (entries) put_entry(buf, entries);
        else buf_printf(buf, "%s#%.*s: %s\n", indent, STR_FORMAT(is_inside ? key : head), value);
    }
}

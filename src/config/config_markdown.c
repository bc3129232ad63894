/* docs/configuration.md, printed from the table that the program reads by, so the two cannot differ. */
#include "config_private.h"

enum { COLUMNS = 118 };

/* Words wrapped into lines; what Markdown would take for a tag is escaped. */
static void put_text(struct buf *buf, Str text)
{
    size_t column = 0;
    while (text.len) {
        Str word = str_cut(text, ' ', &text);
        if (column && column + 1 + word.len > COLUMNS) buf_char(buf, '\n'), column = 0;
        if (column) buf_char(buf, ' '), column++;
        for (size_t at = 0; at < word.len; at++) {
            if (word.bytes[at] == '<') buf_str_put(buf, STR("&lt;"));
            else buf_char(buf, word.bytes[at]);
        }
        column += word.len;
    }
    buf_char(buf, '\n');
}

static void put_words(struct buf *buf, const char *words)
{
    if (!strchr(words, '|')) {
        buf_printf(buf, "%s", words);
        return;
    }
    buf_char(buf, '`');
    for (const char *c = words; *c; c++) {
        if (*c == '|') buf_str_put(buf, STR("` or `"));
        else buf_char(buf, *c);
    }
    buf_char(buf, '`');
}

static void put_rule(struct buf *buf, const ConfigRule *rule, const char *list)
{
    static const char *const when[] = {
        [LIVE] = "a reload (SIGHUP) changes it", [RESTART] = "read at the start", [NOT_YET] = "not used yet",
    };
    buf_printf(buf, "\n### `%s%s%s`\n", list, list[0] ? "[]." : "", rule->path);
    if (!rule->fallback) buf_str_put(buf, STR("must be given"));
    else if (rule->type == NODE) buf_str_put(buf, STR("default `{}`"));
    else if (!rule->fallback[0]) buf_str_put(buf, STR("default: empty"));
    else buf_printf(buf, "default `%s`", rule->fallback);
    buf_str_put(buf, STR(" · "));
    put_words(buf, rule->unit);
    if (rule->least[0]) buf_printf(buf, ", %s to %s", rule->least, rule->most);
    buf_printf(buf, " · %s\n\n", when[rule->when]);
    put_text(buf, str_from(rule->why));
}

void config_write_markdown(struct buf *buf)
{
    buf_str_put(buf, STR(
        "# Configuration\n"
        "Every option of `onym.yaml`, as `onym check-config --markdown` prints it from the table that the program\n"
        "reads by; a test compares. `onym check-config --template` prints a file to begin with,\n"
        "[conf/onym.yaml](../conf/onym.yaml), and `onym check-config onym.yaml` says what is wrong with yours, with\n"
        "lines. Unknown keys are errors.\n\n"
        "`${NAME}` and `${NAME:-otherwise}` take a value from the environment; inside `[ ]` and `{ }` put it in\n"
        "quotes. Durations: `500ms` `90s` `15m` `36h` `30d` `2w`. Sizes: `64kB` `10MB` (thousands), `512MiB` `2GiB`\n"
        "(1024s). Flags of `onym serve` go before the file, the file before the defaults.\n"));
    Str section = STR("");
    for (size_t at = 0; at < config_rule_count; at++) {
        const ConfigRule *rule = &config_rules[at];
        Str key, head = str_cut(str_from(rule->path), '.', &key);
        const ConfigEntries *entries = config_entries_of(rule);
        if (key.len == 0 && !entries) head = STR("the server");
        if (!str_equal(section, head)) buf_printf(buf, "\n## %.*s\n", STR_FORMAT(head));
        section = head;
        put_rule(buf, rule, "");
        for (size_t entry = 0; entries && entry < entries->count; entry++)
            put_rule(buf, &entries->rules[entry], entries->name);
    }
}

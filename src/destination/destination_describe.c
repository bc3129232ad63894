/* destination_describe: every type with its options, as text for --help. */
#include "destination.h"

static void describe_options(struct buf *buf, const struct destination *destination)
{
    static const char *const kinds[] = { "text", "secret", "URL", "true or false", "number", "word", "list", "map" };
    buf_printf(buf, "%s: %s\n", destination->name, destination->description);
    for (const DestinationOption *option = destination->options; option->name; option++) {
        buf_printf(buf, "  %s (%s", option->name, option->choices ? option->choices : kinds[option->kind]);
        if (!option->fallback) buf_str_put(buf, STR("; must be given"));
        else if (option->fallback[0]) buf_printf(buf, "; default %s", option->fallback);
        buf_printf(buf, ")\n      %s\n", option->help);
    }
}

void destination_describe(struct buf *buf, Str type)
{
    for (size_t at = 0; destinations[at]; at++) {
        if (type.len == 0) buf_printf(buf, "%-12s %s\n", destinations[at]->name, destinations[at]->description);
        else if (str_equal_no_case(type, str_from(destinations[at]->name))) describe_options(buf, destinations[at]);
    }
}

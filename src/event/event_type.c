/* event_type: the six calls of the protocol by name. (docs/protocol.md#calls) */
#include "event.h"

static const Str words[EVENT_TYPE_COUNT] = {
    [EVENT_NONE] = STR(""),
    [EVENT_IDENTIFY] = STR("identify"), [EVENT_TRACK] = STR("track"), [EVENT_PAGE] = STR("page"),
    [EVENT_SCREEN] = STR("screen"), [EVENT_GROUP] = STR("group"), [EVENT_ALIAS] = STR("alias"),
};

const char *event_type_word(EventType type)
{
    check(type < EVENT_TYPE_COUNT);
    return words[type].bytes;
}

EventType event_type_from(Str word)
{
    for (EventType type = EVENT_IDENTIFY; type < EVENT_TYPE_COUNT; type++)
        if (str_equal(words[type], word)) return type;
    return EVENT_NONE;
}

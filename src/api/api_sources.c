/* api_sources: GET /api/v1/sources: where events may come from, with the write keys, for who pastes a snippet. Keys
 * only write, but whoever has one can pretend to be that source: they are the administrator's. */
#include "api_routes.h"

void api_sources(struct exchange *exchange)
{
    struct collector *collector = api_options(exchange)->collector;
    struct buf *out = &exchange->answer;
    const Source *source;
    buf_clear(out);
    json_object(out, NULL);
    json_array(out, "sources");
    for (size_t at = 0; (source = collector_source_at(collector, at)); at++) {
        json_object(out, NULL);
        json_string(out, "name", source->name);
        json_string(out, "write_key", source->write_key);
        json_bool(out, "enabled", source->is_enabled);
        json_bool(out, "server", source->is_server);
        json_string_or_null(out, "own_path", source->own_path);
        json_object_end(out);
    }
    json_array_end(out);
    json_object_end(out);
    reply_text(exchange, 200, NULL, buf_str(out));
}

/* event_json: simdjson, wrapped in C functions.
 *
 * Only its stage 1 is used. Its DOM knows what a value is but not where it stands in the text, and its
 * On-Demand walk does not look at what is skipped; we need the text of every value (records keep values
 * byte for byte) and that all of it is JSON (docs/decisions/0003-json-by-tokens.md).
 */
#include "event_json.h"

#include <new>
#include <simdjson.h>

enum { FIRST_CAPACITY = 64 * 1024 };

struct event_json {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
};

static bool hold(event_json *json, size_t bytes)
{
    if (json->stage && json->stage->capacity() >= bytes) return true;
    size_t capacity = FIRST_CAPACITY;
    while (capacity < bytes) capacity *= 2;
    auto &chosen = simdjson::get_active_implementation();
    return chosen->create_dom_parser_implementation(capacity, 1, json->stage) == simdjson::SUCCESS;
}

event_json *event_json_open(void)
{
    event_json *json = new (std::nothrow) event_json;
    if (json && !hold(json, FIRST_CAPACITY)) {
        delete json;
        return nullptr;
    }
    return json;
}

void event_json_close(event_json *json) { delete json; }

JsonVerdict event_json_index(event_json *json, Str text, const uint32_t **ret_tokens, size_t *ret_count)
{
    if (text.len == 0 || text.len >= UINT32_MAX) return JSON_BROKEN;
    if (!hold(json, text.len)) return JSON_NO_MEMORY;
    const auto *bytes = reinterpret_cast<const uint8_t *>(text.bytes);
    auto error = json->stage->stage1(bytes, text.len, simdjson::stage1_mode::regular);
    if (error) return error == simdjson::UTF8_ERROR ? JSON_BAD_UTF8 : JSON_BROKEN;
    *ret_tokens = json->stage->structural_indexes.get();
    *ret_count = json->stage->n_structural_indexes;
    return JSON_FINE;
}

size_t event_json_minify(Str text, char *to)
{
    size_t len = 0;
    return simdjson::minify(text.bytes, text.len, to, len) == simdjson::SUCCESS ? len : SIZE_MAX;
}

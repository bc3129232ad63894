/* derive_latest: rows stand in the order in which they came. */
#include "derive_latest.h"

#include <stdlib.h>

enum { ROWS_LEAST = 1024 };

static uint32_t key_of(Str key) { return key.len ? (uint32_t)(hash_64(key, 0) >> 32) : 0; }

Str latest_key(const struct latest_table *table, const struct latest *row)
{
    return str_of(table->texts.bytes + row->at, row->key_len);
}

Str latest_json(const struct latest_table *table, const struct latest *row)
{
    return str_of(table->texts.bytes + row->at + row->key_len, row->len);
}

static uint64_t hash_of(uint32_t person, uint32_t key)
{
    return (person * UINT64_C(0x9E3779B97F4A7C15)) ^ (uint64_t)key << 32;
}

static struct latest *find(const struct latest_table *table, uint32_t person, uint32_t hash, Str key)
{
    uint64_t of = hash_of(person, hash);
    for (uint32_t at, probe = 0; (at = slots_next(&table->slots, of, &probe)) != SLOTS_NONE;) {
        struct latest *row = &table->rows[at];
        if (row->person == person && row->key == hash && str_equal(latest_key(table, row), key)) return row;
    }
    return NULL;
}

const struct latest *latest_find(const struct latest_table *table, uint32_t person, Str key)
{
    return find(table, person, key_of(key), key);
}

static bool has_room(const struct latest_table *table, size_t capacity, size_t more)
{
    size_t rows = capacity * (sizeof *table->rows + 2 * sizeof *table->slots.entries);
    return rows <= table->max_bytes && table->texts.len + more <= table->max_bytes - rows;
}

/* The first rows are there whatever max_bytes says. */
static bool grow(struct latest_table *table)
{
    size_t wanted = table->capacity ? table->capacity * 2 : ROWS_LEAST;
    return (!table->capacity || has_room(table, wanted, 0))
        && vector_reserve(table->rows, table->capacity, wanted, SLOTS_MOST)
        && slots_reserve(&table->slots, (uint32_t)table->capacity);
}

bool latest_open(struct latest_table *table, size_t max_bytes)
{
    *table = (struct latest_table){ .max_bytes = max_bytes };
    buf_init(&table->texts, max_bytes);
    table->is_full = !grow(table);
    return !table->is_full;
}

void latest_close(struct latest_table *table)
{
    buf_done(&table->texts);
    free(table->rows);
    slots_done(&table->slots);
    *table = (struct latest_table){ 0 };
}

static int compare(const struct latest_table *table, const struct latest *row, const ProfileValue *value)
{
    if (row->time_ms != value->time_ms) return row->time_ms < value->time_ms ? -1 : 1;
    Str json = latest_json(table, row);
    int order = str_compare(str_of(json.bytes + json.len, row->id_len), value->message_id);
    return order ? order : str_compare(json, value->json);
}

bool latest_put(struct latest_table *table, uint32_t person, Str key, const ProfileValue *value)
{
    uint32_t hash = key_of(key);
    if (table->is_full) return false;
    struct latest *row = find(table, person, hash, key);
    if (!row && table->count == table->capacity && !grow(table)) return table->is_full = true, false;
    size_t at = table->texts.len, bytes = key.len + value->json.len + value->message_id.len;
    if (row && compare(table, row, value) >= 0) return true;
    if (key.len > UINT16_MAX || value->message_id.len > UINT16_MAX || !has_room(table, table->capacity, bytes))
        return table->is_full = true, false;
    buf_str_put(&table->texts, key);
    buf_str_put(&table->texts, value->json);
    buf_str_put(&table->texts, value->message_id);
    if (!buf_ok(&table->texts)) return table->is_full = true, false;
    if (!row) {
        slots_put(&table->slots, hash_of(person, hash), (uint32_t)table->count);
        row = &table->rows[table->count++];
    }
    *row = (struct latest){ .person = person, .len = (uint32_t)value->json.len, .key_len = (uint16_t)key.len,
                            .id_len = (uint16_t)value->message_id.len, .key = hash, .at = at,
                            .time_ms = value->time_ms };
    return true;
}

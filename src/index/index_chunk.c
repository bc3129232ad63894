/* index_chunk: see the header. The sizes: 512 columns of 16,384 codes are 32 MiB of address space, values
 * and their texts 100 MiB more; only what is touched costs memory, and clearing keeps the pages.
 *
 * Interning. A value is found by the hash of its bytes mixed with its column, in one open-addressed table that is
 * at most half full, and no larger than that: in the cache, as far as values allow. A slot holds the number of a
 * value and the hash's leading bits, so that another value's slot costs no look at that value.
 * The table is not base/slots: this is the applier's hottest loop, four bytes a slot keep it in the cache, and columns
 * are taken out one by one.
 * A column is found by a guess: if column b came after column a last time, b's name is compared first.
 *
 * Anybody can send an event with hundreds of names that nobody else uses. So a field that has no column is counted,
 * and takes the emptiest column when it has come more often than that one: a frequent field has a column, whatever
 * strangers send. The fields that always have one (index_leaves.h) have it from the start.
 */
#include "index_chunk.h"
#include "index_leaves.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    COLUMN_SLOTS = 2048, VALUE_SLOTS_FIRST = 1 << 12, VALUE_SLOTS = 1 << 20,
    SLOT_VALUE_BITS = 19, SLOT_VALUE_MASK = (1 << SLOT_VALUE_BITS) - 1,
    NAME_BYTES_MAX = CHUNK_COLUMNS_MAX * (LEAF_PATH_BYTES + 16), ROW_TAKEOVERS_MAX = 16,
};

void chunk_open(struct chunk *chunk, uint32_t row_max)
{
    *chunk = (struct chunk){ .row_max = row_max };
    size_t bytes = (size_t)row_max * 16 + (size_t)CHUNK_COLUMNS_MAX * (row_max * sizeof(uint32_t) + 64)
                 + CHUNK_COLUMNS_MAX * sizeof(struct chunk_column) + COLUMN_SLOTS * sizeof(uint32_t)
                 + CHUNK_WAITING * sizeof(uint16_t)
                 + VALUE_SLOTS * sizeof(uint32_t) + CHUNK_VALUES_MAX * sizeof(struct chunk_value)
                 + CHUNK_TEXT_BYTES_MAX + NAME_BYTES_MAX + (1 << 20);
    region_open(&chunk->region, bytes);
    chunk->outline = event_outline_open();
    check(chunk->outline);
    chunk_clear(chunk, 0);
}

void chunk_close(struct chunk *chunk)
{
    event_outline_close(chunk->outline);
    region_close(&chunk->region);
}

static struct chunk_column *chunk_add_column(struct chunk *chunk, Str name)
{
    struct chunk_column *column = &chunk->columns[chunk->column_count++];
    *column = (struct chunk_column){ .name = arena_copy(&chunk->arena, name), .name_room = (uint32_t)name.len };
    column->codes = arena_new(&chunk->arena, uint32_t, chunk->row_max);
    return column;
}

static uint32_t free_column_slot(const struct chunk *chunk, Str name)
{
    uint32_t slot = (uint32_t)hash_64(name, 0) % COLUMN_SLOTS;
    while (chunk->column_slots[slot]) slot = (slot + 1) % COLUMN_SLOTS;
    return slot;
}

/* Only the slots that were used are emptied. */
static void empty_slots(struct chunk *chunk)
{
    for (uint32_t value = 0; value < chunk->value_count; value++)
        chunk->value_slots[chunk->values[value].slot] = 0;
    memset(chunk->column_slots, 0, COLUMN_SLOTS * sizeof *chunk->column_slots);
}

void chunk_clear(struct chunk *chunk, JournalPos from_pos)
{
    struct region region = chunk->region;
    struct event_outline *outline = chunk->outline;
    if (chunk->value_slots) empty_slots(chunk);
    uint32_t mask = chunk->value_mask ? chunk->value_mask : VALUE_SLOTS_FIRST - 1;
    *chunk = (struct chunk){ .region = region, .outline = outline, .row_max = chunk->row_max, .from_pos = from_pos,
                             .to_pos = from_pos, .value_mask = mask };
    chunk->arena = region_arena(&region);
    /* zeros, by now */
    chunk->value_slots = arena_try(&chunk->arena, sizeof(uint32_t), 64, VALUE_SLOTS);
    chunk->column_slots = arena_try(&chunk->arena, sizeof(uint32_t), 64, COLUMN_SLOTS);
    chunk->subjects = arena_new(&chunk->arena, Subject, chunk->row_max);
    chunk->times_ms = arena_new(&chunk->arena, Millis, chunk->row_max);
    chunk->positions = arena_new(&chunk->arena, JournalPos, chunk->row_max);
    chunk->columns = arena_new(&chunk->arena, struct chunk_column, CHUNK_COLUMNS_MAX);
    chunk->values = arena_try(&chunk->arena, sizeof(struct chunk_value), 64, CHUNK_VALUES_MAX);
    check(chunk->value_slots && chunk->column_slots && chunk->values);
    chunk->waiting = arena_new(&chunk->arena, uint16_t, CHUNK_WAITING);
    chunk->arena_start = chunk->arena.at;
    chunk_add_column(chunk, STR(""));
    for (uint32_t at = 0; at < countof(LEAVES_KEPT); at++) {
        chunk_add_column(chunk, str_from(LEAVES_KEPT[at]))->is_kept = true;
        chunk->column_slots[free_column_slot(chunk, str_from(LEAVES_KEPT[at]))] = chunk->column_count;
    }
}

bool chunk_is_full(const struct chunk *chunk)
{
    return chunk->row_count == chunk->row_max || chunk->value_count + LEAF_COUNT_MAX + 8 > CHUNK_VALUES_MAX
        || chunk->arena.at - chunk->arena_start > CHUNK_TEXT_BYTES_MAX / 2
                                                      + (ptrdiff_t)chunk->column_count * chunk->row_max * 4;
}

/* ---- Interning ---- */

/* Frees the name's slot; names in later slots, which it may have pushed on, find their places anew. */
static void forget_name(struct chunk *chunk, uint32_t column)
{
    uint32_t slot = (uint32_t)hash_64(chunk->columns[column].name, 0) % COLUMN_SLOTS, moved;
    while (chunk->column_slots[slot] != column + 1) slot = (slot + 1) % COLUMN_SLOTS;
    chunk->column_slots[slot] = 0;
    for (slot = (slot + 1) % COLUMN_SLOTS; (moved = chunk->column_slots[slot]) != 0; slot = (slot + 1) % COLUMN_SLOTS) {
        chunk->column_slots[slot] = 0;
        chunk->column_slots[free_column_slot(chunk, chunk->columns[moved - 1].name)] = moved;
    }
}

/* Of the columns that may go, finds the one that the fewest rows have; 0: none. Columns of the present row stay. */
static uint32_t emptiest_column(const struct chunk *chunk)
{
    uint32_t found = 0;
    for (uint32_t at = 1; at < chunk->column_count; at++) {
        const struct chunk_column *column = &chunk->columns[at];
        if (column->is_kept || (column->filled && column->last_row == chunk->row_count)) continue;
        if (!found || column->filled < chunk->columns[found].filled) found = at;
    }
    return found;
}

/* Removes the rows' values, and counts them. */
static void empty_column(struct chunk *chunk, struct chunk_column *column)
{
    chunk->unindexed_count += column->filled;
    if (column->filled == 1) column->codes[column->last_row] = INDEX_ABSENT;
    else memset(column->codes, 0, chunk->row_count * sizeof *column->codes);
    for (uint32_t value = column->newest; value; value = chunk->values[value - 1].before)
        chunk->values[value - 1].column = CHUNK_NO_COLUMN;
    column->value_count = column->filled = column->last_row = column->newest = column->last_value = 0;
}

/* Finds a column for a field when all are taken; 0: the field has not come often enough yet. It looks at the field's
 * 2nd, 4th, 8th … time, and only a few times for each row, so that the work is bounded whatever comes. */
static uint32_t take_over_column(struct chunk *chunk, Str name)
{
    uint16_t *waiting = &chunk->waiting[hash_64(name, 1) % CHUNK_WAITING];
    uint32_t count = *waiting += *waiting < UINT16_MAX, found;
    if (count < 2 || (count & (count - 1)) || chunk->row_takeovers == ROW_TAKEOVERS_MAX) return 0;
    if (!(found = emptiest_column(chunk)) || chunk->columns[found].filled >= count) return 0;
    struct chunk_column *column = &chunk->columns[found];
    chunk->row_takeovers++;
    forget_name(chunk, found);
    empty_column(chunk, column);
    if (name.len <= column->name_room) {
        memcpy((char *)(uintptr_t)column->name.bytes, name.bytes, name.len);
        column->name.len = name.len;
    } else {
        column->name = arena_copy(&chunk->arena, name);
        column->name_room = (uint32_t)name.len;
    }
    return found;
}

static uint32_t chunk_find_column(struct chunk *chunk, Str name)
{
    uint32_t guess = chunk->columns[chunk->last_column].follower;
    if (guess && str_equal(chunk->columns[guess].name, name)) return chunk->last_column = guess;
    uint32_t slot = (uint32_t)hash_64(name, 0) % COLUMN_SLOTS, column;
    for (; (column = chunk->column_slots[slot]) != 0; slot = (slot + 1) % COLUMN_SLOTS)
        if (str_equal(chunk->columns[column - 1].name, name)) break;
    if (!column) {
        if (chunk->column_count < CHUNK_COLUMNS_MAX) chunk_add_column(chunk, name), column = chunk->column_count;
        else if ((column = take_over_column(chunk, name)) != 0) column++;
        else return 0;
        chunk->column_slots[free_column_slot(chunk, name)] = column;
    }
    chunk->columns[chunk->last_column].follower = column - 1;
    return chunk->last_column = column - 1;
}

static bool value_is(const struct chunk_value *value, bool is_number, double number, Str text)
{
    if (value->is_number != is_number) return false;
    return is_number ? value->number == number : str_equal(value->text, text);
}

/* The code of a value in its column, new or known. Often it is the same as before: library, source, plan. */
static uint32_t slot_tag(uint64_t hash) { return (uint32_t)(hash >> (32 + SLOT_VALUE_BITS)); }

static uint32_t free_slot(const struct chunk *chunk, uint64_t hash)
{
    uint32_t slot = hash & chunk->value_mask;
    while (chunk->value_slots[slot]) slot = (slot + 1) & chunk->value_mask;
    return slot;
}

static void widen_slots(struct chunk *chunk)
{
    for (uint32_t value = 0; value < chunk->value_count; value++) chunk->value_slots[chunk->values[value].slot] = 0;
    chunk->value_mask = chunk->value_mask * 2 + 1;
    check(chunk->value_mask < VALUE_SLOTS);
    for (uint32_t value = 0; value < chunk->value_count; value++) {
        uint64_t hash = chunk->values[value].hash;
        uint32_t slot = chunk->values[value].slot = free_slot(chunk, hash);
        chunk->value_slots[slot] = (value + 1) | slot_tag(hash) << SLOT_VALUE_BITS;
    }
}

static uint32_t chunk_intern(struct chunk *chunk, uint32_t column, bool is_number, double number, Str text)
{
    struct chunk_column *of = &chunk->columns[column];
    if (of->value_count && value_is(&chunk->values[of->last_value], is_number, number, text))
        return INDEX_FIRST_VALUE + chunk->values[of->last_value].local;
    uint64_t hash = is_number ? hash_64(str_of(&number, sizeof number), column * 2 + 1)
        : hash_64(text, column * 2);
    uint32_t slot = hash & chunk->value_mask, tag = slot_tag(hash), found;
    for (; (found = chunk->value_slots[slot]) != 0; slot = (slot + 1) & chunk->value_mask) {
        if (found >> SLOT_VALUE_BITS != tag) continue;
        const struct chunk_value *value = &chunk->values[(found & SLOT_VALUE_MASK) - 1];
        if (value->hash != hash || value->column != column || !value_is(value, is_number, number, text))
            continue;
        of->last_value = (found & SLOT_VALUE_MASK) - 1;
        return INDEX_FIRST_VALUE + value->local;
    }
    if (chunk->value_count == CHUNK_VALUES_MAX) return INDEX_UNINDEXED;
    if (chunk->value_count * 2 > chunk->value_mask) {
        widen_slots(chunk);
        slot = free_slot(chunk, hash);
    }
    of->last_value = chunk->value_count;
    chunk->values[chunk->value_count] = (struct chunk_value){
        .hash = hash, .slot = slot, .column = column, .local = of->value_count++, .before = of->newest & INT32_MAX,
        .is_number = is_number, .number = number, .text = is_number ? (Str){ 0 }
            : arena_copy(&chunk->arena, text),
    };
    chunk->value_slots[slot] = ++chunk->value_count | tag << SLOT_VALUE_BITS;
    of->newest = chunk->value_count;
    return INDEX_FIRST_VALUE + chunk->values[chunk->value_count - 1].local;
}

static void chunk_set(struct chunk *chunk, uint32_t column, uint32_t code)
{
    uint32_t *to = &chunk->columns[column].codes[chunk->row_count];
    chunk->columns[column].filled += *to == INDEX_ABSENT;
    chunk->columns[column].last_row = chunk->row_count;
    *to = code;
}

/* Makes a text of a value that is no text: "\0#" and the digits, "\0" and the list. */
static uint32_t chunk_intern_marked(struct chunk *chunk, uint32_t column, char mark, Str text)
{
    char marked[LEAF_TEXT_BYTES + 2] = { 0, mark };
    size_t len = 1 + (mark != 0);
    memcpy(marked + len, text.bytes, text.len);
    return chunk_intern(chunk, column, false, 0, str_of(marked, len + text.len));
}

static void chunk_set_text(struct chunk *chunk, Str name, Str text)
{
    uint32_t column = text.len ? chunk_find_column(chunk, name) : 0;
    if (column) chunk_set(chunk, column, text.len <= LEAF_TEXT_BYTES && text.bytes[0]
                          ? chunk_intern(chunk, column, false, 0, text)
                                                                     : (uint32_t)INDEX_UNINDEXED);
}

/* The account that a message is about if it is no group call: Segment's common field. */
static void visit_group(struct chunk *chunk, const Leaf *leaf)
{
    char text[32];
    uint32_t last_column = chunk->last_column;
    if (leaf->kind == LEAF_STRING || leaf->kind == LEAF_BIG) chunk_set_text(chunk, STR("groupId"), leaf->text);
    if (leaf->kind == LEAF_NUMBER && leaf->number == (double)(int64_t)leaf->number) {
        snprintf(text, sizeof text, "%" PRIi64, (int64_t)leaf->number);
        chunk_set_text(chunk, STR("groupId"), str_from(text));
    }
    chunk->last_column = last_column;
}

static void chunk_visit(void *context, const Leaf *leaf)
{
    struct chunk *chunk = context;
    if (!chunk->has_group && leaf->path.len == 15 && str_equal(leaf->path, STR("context.groupId")))
        visit_group(chunk, leaf);
    uint32_t column = chunk_find_column(chunk, leaf->path), code = INDEX_UNINDEXED;
    if (column == 0) {
        chunk->unindexed_count++;
        return;
    }
    switch (leaf->kind) {
    case LEAF_STRING:
        /* a zero byte in front says that it is no text */
        if (!leaf->text.len || leaf->text.bytes[0]) code = chunk_intern(chunk, column, false, 0, leaf->text);
        break;
    case LEAF_NUMBER: code = chunk_intern(chunk, column, true, leaf->number, (Str){ 0 }); break;
    case LEAF_BIG: code = chunk_intern_marked(chunk, column, '#', leaf->text); break;
    case LEAF_LIST: code = chunk_intern_marked(chunk, column, 0, leaf->text); break;
    case LEAF_BOOL: code = leaf->number != 0 ? INDEX_TRUE : INDEX_FALSE; break;
    case LEAF_OTHER: break;
    }
    chunk_set(chunk, column, code);
}

void chunk_append(struct chunk *chunk, Subject subject, const Event *event, JournalPos pos, JournalPos next)
{
    char text[LIMIT_EVENT_NAME_BYTES + 1];
    uint32_t row = chunk->row_count;
    check(!chunk_is_full(chunk) && event->type < EVENT_TYPE_COUNT && pos >= chunk->to_pos && next > pos);
    chunk->subjects[row] = subject;
    chunk->times_ms[row] = event->timestamp_ms;
    chunk->positions[row] = pos;
    size_t len = event->name.len < LIMIT_EVENT_NAME_BYTES ? event->name.len : LIMIT_EVENT_NAME_BYTES;
    text[0] = (char)('0' + event->type);
    if (len) memcpy(text + 1, event->name.bytes, len);
    chunk->columns[0].codes[row] = chunk_intern(chunk, 0, false, 0, str_of(text, len + 1));
    chunk->last_column = chunk->row_takeovers = 0;
    chunk_set_text(chunk, STR("source"), event->source);
    chunk_set_text(chunk, STR("category"), event->category);
    chunk_set_text(chunk, STR("groupId"), event->group_id);
    chunk->has_group = event->group_id.len > 0;
    chunk->unindexed_count += leaves_walk(event_outline_of(event, chunk->outline), chunk_visit, chunk);
    chunk->row_count++;
    chunk->to_pos = next;
}

/* ---- Encoding ---- */

/* What encoding needs besides the chunk; all of it is in one arena, and gone afterwards. */
struct encoding {
    const struct chunk *chunk;
    struct run_writer *writer;
    uint32_t *order;                        /* rows by (subject, time, arrival) */
    uint32_t *first_value;                  /* by column: where its values begin in value_order */
    uint32_t *value_order;                  /* values, by column */
    uint32_t *column_order;                 /* columns by name that a row has; without column 0 */
    uint32_t column_count;
};

/* Stable, so arrival decides among equals. */
static void merge_sort_rows(const struct chunk *chunk, uint32_t *rows, uint32_t *spare, uint32_t count)
{
    if (count < 2) return;
    uint32_t half = count / 2;
    merge_sort_rows(chunk, rows, spare, half);
    merge_sort_rows(chunk, rows + half, spare, count - half);
    if (chunk->times_ms[rows[half - 1]] <= chunk->times_ms[rows[half]]) return;     /* nearly always */
    memcpy(spare, rows, half * sizeof *rows);
    uint32_t left = 0, right = half, at = 0;
    while (left < half && right < count)
        rows[at++] = chunk->times_ms[rows[right]] < chunk->times_ms[spare[left]] ? rows[right++]
            : spare[left++];
    while (left < half) rows[at++] = spare[left++];
}

/* Sorts by time first, then stably by subject: three passes of 11 bits, the least significant first. */
static void sort_rows(const struct chunk *chunk, uint32_t *rows, uint32_t *spare)
{
    for (uint32_t row = 0; row < chunk->row_count; row++) rows[row] = row;
    merge_sort_rows(chunk, rows, spare, chunk->row_count);
    for (int shift = 0; shift < 33; shift += 11) {
        uint32_t starts[2049] = { 0 };
        for (uint32_t at = 0; at < chunk->row_count; at++)
            starts[(chunk->subjects[rows[at]] >> shift & 2047) + 1]++;
        for (int digit = 0; digit < 2048; digit++) starts[digit + 1] += starts[digit];
        for (uint32_t at = 0; at < chunk->row_count; at++)
            spare[starts[chunk->subjects[rows[at]] >> shift & 2047]++] = rows[at];
        memcpy(rows, spare, chunk->row_count * sizeof *rows);
    }
}

static int compare_values(const void *a, const void *b, void *context)
{
    const struct chunk *chunk = context;
    const struct chunk_value *left = &chunk->values[*(const uint32_t *)a], *right
        = &chunk->values[*(const uint32_t *)b];
    if (left->is_number != right->is_number) return left->is_number ? -1 : 1;
    if (left->is_number) return (left->number > right->number) - (left->number < right->number);
    return str_compare(left->text, right->text);
}

static int compare_columns(const void *a, const void *b, void *context)
{
    const struct chunk *chunk = context;
    return str_compare(chunk->columns[*(const uint32_t *)a].name, chunk->columns[*(const uint32_t *)b].name);
}

static void encode_keys(const struct encoding *encoding, Arena scratch)
{
    const struct chunk *chunk = encoding->chunk;
    struct run_writer *writer = encoding->writer;
    struct run_head *head = &writer->head;
    uint32_t rows = chunk->row_count, words = (rows + 63) / 64;
    uint64_t *starts = arena_new(&scratch, uint64_t, words);
    uint32_t *ranks = arena_new(&scratch, uint32_t, (rows + RUN_RANK_ROWS - 1) / RUN_RANK_ROWS);
    Subject *subjects = arena_new(&scratch, Subject, rows);
    head->time_min_ms = head->time_max_ms = chunk->times_ms[0];
    for (uint32_t at = 0; at < rows; at++) {
        Subject subject = chunk->subjects[encoding->order[at]];
        Millis time_ms = chunk->times_ms[at];
        if (at % RUN_RANK_ROWS == 0) ranks[at / RUN_RANK_ROWS] = head->subject_count;
        if (at == 0 || subject != subjects[head->subject_count - 1]) {
            starts[at / 64] |= UINT64_C(1) << at % 64;
            subjects[head->subject_count++] = subject;
        }
        if (time_ms < head->time_min_ms) head->time_min_ms = time_ms;
        if (time_ms > head->time_max_ms) head->time_max_ms = time_ms;
    }
    run_writer_begin(writer, SECTION_STARTS, 0);
    run_writer_put(writer, starts, words * sizeof *starts);
    run_writer_end(writer);
    run_writer_begin(writer, SECTION_RANKS, 0);
    run_writer_put(writer, ranks, (rows + RUN_RANK_ROWS - 1) / RUN_RANK_ROWS * sizeof *ranks);
    run_writer_end(writer);
    run_writer_begin(writer, SECTION_SUBJECTS, 0);
    run_writer_put(writer, subjects, head->subject_count * sizeof *subjects);
    run_writer_end(writer);
    run_writer_begin_packed(writer, SECTION_TIMES, 0,
                            run_width_of((uint64_t)head->time_max_ms - (uint64_t)head->time_min_ms),
                                head->time_min_ms, false);
    for (uint32_t at = 0; at < rows; at++)
        run_writer_row(writer, (uint64_t)chunk->times_ms[encoding->order[at]] - (uint64_t)head->time_min_ms);
    run_writer_end(writer);
    uint64_t most = journal_distance(chunk->from_pos, chunk->to_pos);
    run_writer_begin_packed(writer, SECTION_POSITIONS, 0, run_width_of(most), (int64_t)chunk->from_pos, true);
    for (uint32_t at = 0; at < rows; at++)
        run_writer_row(writer, journal_distance(chunk->from_pos, chunk->positions[encoding->order[at]]));
    run_writer_end(writer);
}

/* A column's codes and dictionary. column is the chunk's; column_to the run's. */
static void encode_column(const struct encoding *encoding, uint32_t column, uint32_t column_to, Arena scratch)
{
    const struct chunk *chunk = encoding->chunk;
    const struct chunk_column *from = &chunk->columns[column];
    struct run_writer *writer = encoding->writer;
    bool is_events = column == 0;
    uint32_t count = from->value_count, number_count = 0;
    uint32_t *sorted = encoding->value_order + encoding->first_value[column];
    uint32_t *codes = arena_new(&scratch, uint32_t, INDEX_FIRST_VALUE + count), *ends
        = arena_new(&scratch, uint32_t, count + 1);
    double *numbers = arena_new(&scratch, double, count + 1);
    size_t text_bytes = 0;
    qsort_r(sorted, count, sizeof *sorted, compare_values, (void *)(uintptr_t)chunk);
    for (uint32_t at = 0; at < count; at++) text_bytes += chunk->values[sorted[at]].text.len;
    char *text = arena_bytes(&scratch, text_bytes + 1);
    uint32_t first = is_events ? (uint32_t)INDEX_FIRST_EVENT : (uint32_t)INDEX_FIRST_VALUE, string_count = 0;
    for (uint32_t code = 0; code < INDEX_FIRST_VALUE; code++) codes[code] = code;
    for (uint32_t at = 0, text_len = 0; at < count; at++) {
        const struct chunk_value *value = &chunk->values[sorted[at]];
        codes[INDEX_FIRST_VALUE + value->local] = first + at;
        if (value->is_number) {
            numbers[number_count++] = value->number;
            continue;
        }
        memcpy(text + text_len, value->text.bytes, value->text.len);
        text_len += (uint32_t)value->text.len;
        ends[string_count++] = text_len;
    }
    run_writer_begin_packed(writer, is_events ? SECTION_EVENTS : SECTION_CODES, is_events ? 0 : column_to,
                            run_width_of(first + count - 1), 0, !is_events);
    writer->section.raw_bytes = from->filled;
    for (uint32_t at = 0; at < chunk->row_count; at++) {
        uint32_t code = codes[from->codes[encoding->order[at]]];
        writer->section.base += code == INDEX_UNINDEXED && !is_events;
        run_writer_row(writer, code);
    }
    run_writer_end(writer);
    struct run_strings strings = { ends, text, string_count };
    run_writer_values(writer, is_events ? EVENT_COLUMN : column_to, numbers, number_count, &strings);
}

static void encode_names(const struct encoding *encoding)
{
    const struct chunk *chunk = encoding->chunk;
    run_writer_begin(encoding->writer, SECTION_NAMES, 0);
    for (uint32_t at = 0; at < encoding->column_count; at++) {
        Str name = chunk->columns[encoding->column_order[at]].name;
        uint16_t len = (uint16_t)name.len;
        run_writer_put(encoding->writer, &len, sizeof len);
        run_writer_put(encoding->writer, name.bytes, name.len);
    }
    run_writer_end(encoding->writer);
}

/* Values by column, columns by name. */
static void prepare(struct encoding *encoding, Arena *arena)
{
    const struct chunk *chunk = encoding->chunk;
    uint32_t columns = chunk->column_count;
    encoding->order = arena_new(arena, uint32_t, chunk->row_count);
    encoding->first_value = arena_new(arena, uint32_t, columns + 1);
    encoding->value_order = arena_new(arena, uint32_t, chunk->value_count + 1);
    encoding->column_order = arena_new(arena, uint32_t, columns);
    Arena scratch = *arena;
    sort_rows(chunk, encoding->order, arena_new(&scratch, uint32_t, chunk->row_count));
    for (uint32_t column = 0; column < columns; column++)
        encoding->first_value[column + 1]
            = encoding->first_value[column] + chunk->columns[column].value_count;
    for (uint32_t value = 0; value < chunk->value_count; value++) {
        uint32_t column = chunk->values[value].column;
        if (column == CHUNK_NO_COLUMN) continue;
        encoding->value_order[encoding->first_value[column] + chunk->values[value].local] = value;
    }
    for (uint32_t column = 1; column < columns; column++)
        if (chunk->columns[column].filled) encoding->column_order[encoding->column_count++] = column;
    qsort_r(encoding->column_order, encoding->column_count, sizeof(uint32_t), compare_columns,
            (void *)(uintptr_t)chunk);
}

Status chunk_encode(const struct chunk *chunk, struct buf *image, Err *err)
{
    check(chunk->row_count > 0);
    struct run_writer writer;
    struct region region;
    struct encoding encoding = { .chunk = chunk, .writer = &writer };
    region_open(&region,
                (size_t)chunk->row_count * 64 + (size_t)chunk->value_count * 40 + CHUNK_TEXT_BYTES_MAX + (1 << 20));
    Arena arena = region_arena(&region);
    prepare(&encoding, &arena);
    run_writer_init(&writer, image, NULL, (DiskFile){ 0 }, 1);
    writer.head.from_pos = chunk->from_pos, writer.head.to_pos = chunk->to_pos;
    writer.head.row_count = chunk->row_count;
    writer.head.column_count = encoding.column_count;
    writer.head.unindexed_count = chunk->unindexed_count;
    writer.head.features = RUN_HAS_LISTS;
    encode_keys(&encoding, arena);
    encode_column(&encoding, 0, 0, arena);
    encode_names(&encoding);
    for (uint32_t at = 0; at < encoding.column_count; at++)
        encode_column(&encoding, encoding.column_order[at], at, arena);
    Status s = run_writer_finish(&writer, err);
    run_writer_done(&writer);
    region_close(&region);
    return s;
}

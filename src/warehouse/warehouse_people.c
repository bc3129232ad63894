/* warehouse_people: see the header. Rows of changed identifiers are copied into a table beside, onym_now; then what
 * differs is taken out and put in, so that what is the same is not written again. */
#include "warehouse_people.h"

#include <stdlib.h>

#include "warehouse_erase.h"

enum { IDENTIFIERS_A_PIECE = 4096, PEOPLE_A_PIECE = 256, LINES_BYTES = 1024 * 1024, KEEP_BYTES = 8 * 1024 * 1024,
       COMMAND_BYTES = 4 * 1024 * 1024, LATER_MOST = 100000 };

typedef struct PersonName {
    char *kind, *value;
} PersonName;

struct warehouse_people {
    People people;
    WarehouseGuard guard;
    struct people_changes *changes;
    struct region region;
    PeopleIdentifier *identifiers;
    PeopleTold *told;
    size_t identifier_count, told_count;     /* of the piece */
    JournalPos position, next;               /* committed; of the round */
    bool is_all;                             /* of the round */
    bool was_erasing;                        /* when the round began */
    bool was_told;                           /* all of it, once */
    bool is_begun;                           /* a round, in this transaction */
    /* To be told again when no erasure is under way: all of it, or these. */
    bool is_all_later;
    PersonName *later;
    size_t later_count, later_capacity;
};

struct warehouse_people *warehouse_people_open(const People *people, const WarehouseGuard *guard)
{
    struct warehouse_people *made = calloc(1, sizeof *made);
    check(made);
    made->people = *people;
    made->guard = *guard;
    made->identifiers = calloc(IDENTIFIERS_A_PIECE, sizeof *made->identifiers);
    made->told = calloc(PEOPLE_A_PIECE, sizeof *made->told);
    check(made->identifiers && made->told);
    region_open(&made->region, PEOPLE_PIECE_BYTES);
    made->changes = people_open_changes(&made->people);
    return made;
}

static void drop_later(struct warehouse_people *people)
{
    for (size_t at = 0; at < people->later_count; at++) {
        free(people->later[at].kind);
        free(people->later[at].value);
    }
    people->later_count = 0;
    people->is_all_later = false;
}

void warehouse_people_close(struct warehouse_people *people)
{
    if (!people) return;
    drop_later(people);
    free(people->later);
    people_close_changes(people->changes);
    region_close(&people->region);
    free(people->identifiers);
    free(people->told);
    free(people);
}

void warehouse_people_forget(struct warehouse_people *people)
{
    people_close_changes(people->changes);
    people->changes = people_open_changes(&people->people);
    people->position = 0;
    people->was_told = people->is_begun = false;
}

bool warehouse_people_wants(const struct warehouse_people *people)
{
    if (!people->was_told) return true;
    return (people->later_count || people->is_all_later) && !people->guard.is_erasing(people->guard.context);
}

void warehouse_people_end(struct warehouse_people *people, bool is_kept)
{
    bool is_told = is_kept && people->is_begun;              /* after a failure of people the rows are kept alone */
    people_end_round(people->changes, is_told);
    people->is_begun = false;
    if (!is_told) return;
    people->position = people->next;
    people->was_told = true;
    if (!people->was_erasing) drop_later(people);
    else people->is_all_later |= people->is_all;
}

/* ---- What to tell ---- */

static char *copy_text(Str text)
{
    char *copy = malloc(text.len + 1);
    check(copy);
    if (text.len) memcpy(copy, text.bytes, text.len);
    copy[text.len] = 0;
    return copy;
}

static void tell_later(struct warehouse_people *people, Str kind, Str value)
{
    if (people->later_count >= LATER_MOST) people->is_all_later = true;
    if (people->is_all_later || memchr(value.bytes, 0, value.len)) return;
    check(vector_reserve(people->later, people->later_capacity, people->later_count + 1, UINT32_MAX));
    people->later[people->later_count++] = (PersonName){ copy_text(kind), copy_text(value) };
}

static void note_command(struct warehouse_people *people, Str record)
{
    struct region region;
    JournalCommand command;
    region_open(&region, COMMAND_BYTES);
    Arena arena = region_arena(&region);
    bool is_erasure = !command_decode(record, &arena, &command, NULL) && command.kind == COMMAND_ERASE;
    for (size_t at = 0; is_erasure && at < command.id_count; at++) {
        Str value, kind = warehouse_split_id(&command.ids[at], &value);
        people_tell_id(people->changes, kind, value);
        tell_later(people, kind, value);
    }
    region_close(&region);
}

static Status read_piece(struct warehouse_people *people, bool is_people, Err *err)
{
    Arena arena = region_arena(&people->region);
    if (is_people)
        return people_next_people(people->changes, &arena, people->told, PEOPLE_A_PIECE, &people->told_count, err);
    return people_next_identifiers(people->changes, &arena, people->identifiers, IDENTIFIERS_A_PIECE,
                                   &people->identifier_count, err);
}

static Status next_piece(struct warehouse_people *people, bool is_people, Err *err)
{
    people->guard.begin(people->guard.context);
    region_trim(&people->region, KEEP_BYTES);
    Status s = read_piece(people, is_people, err);
    people->guard.end(people->guard.context);
    return s;
}

/* In one guard with the first identifiers, so that these are of one moment. */
static Status begin_round(struct warehouse_people *people, const PeopleRange *range, Err *err)
{
    people->was_erasing = people->guard.is_erasing(people->guard.context);
    if (people->is_all_later && !people->was_erasing) warehouse_people_forget(people);
    people->is_begun = true;
    people->guard.begin(people->guard.context);
    Status s = people_begin_round(people->changes, &people->is_all, err);
    for (size_t at = 0; !s && at < people->later_count; at++)
        people_tell_id(people->changes, str_from(people->later[at].kind), str_from(people->later[at].value));
    for (size_t at = 0; !s && at < range->count; at++) {
        Event event;
        const BatchRecord *record = &range->records[at];
        if (record_kind(record->bytes) == RECORD_COMMAND) note_command(people, record->bytes);
        if (record->pos < people->position || range->skips[at] || record_kind(record->bytes) != RECORD_EVENT) continue;
        if (!event_decode(record->bytes, &event, NULL)) people_tell_event(people->changes, &event);
    }
    if (!s) s = read_piece(people, false, err);
    people->guard.end(people->guard.context);
    people->next = people->position > range->next ? people->position : range->next;
    return s;
}

/* ---- Identifiers ---- */

static void put_moment(struct buf *out, Millis at_ms)
{
    if (at_ms == INT64_MIN) buf_str_put(out, STR("-infinity"));
    else if (at_ms == INT64_MAX) buf_str_put(out, STR("infinity"));
    else buf_instant(out, at_ms);
    buf_char(out, '\t');
}

static void put_cell(struct buf *out, Str text, char end)
{
    warehouse_put_copy(out, text);
    buf_char(out, end);
}

/* Which a choice may leave out; user ids and anonymous ids say whose a row is. */
static bool takes_kind(const struct load *load, Str kind)
{
    return str_equal(kind, STR("user_id")) || str_equal(kind, STR("anonymous_id"))
        || warehouse_takes_column(load->choice, STR("onym_identifiers"), kind);
}

static const PeopleSpan nobody = { INT64_MIN, INT64_MAX, { "", 0 }, { "", 0 }, { NULL, 0 } };

static Status put_identifier(struct load *load, const PeopleIdentifier *identifier, Err *err)
{
    Status s = OK;
    if (!takes_kind(load, identifier->kind)) return OK;
    for (size_t at = 0; !s && at < (identifier->span_count ? identifier->span_count : 1); at++) {
        const PeopleSpan *span = identifier->span_count ? &identifier->spans[at] : &nobody;
        struct buf *out = &load->lines;
        put_cell(out, identifier->kind, '\t');
        put_cell(out, identifier->value, '\t');
        if (span->person_id.bytes) put_cell(out, span->person_id, '\t');
        else buf_str_put(out, STR("\\N\t"));
        put_moment(out, span->from_ms);
        put_cell(out, span->from_id, '\t');
        put_moment(out, span->to_ms);
        put_cell(out, span->to_id, '\n');
        if (out->len >= LINES_BYTES) {
            s = sql_put(load->sql, buf_str(out), err);
            buf_clear(out);
        }
    }
    return s;
}

static Status copy_identifiers(struct warehouse_people *people, struct load *load, Err *err)
{
    uint64_t rows;
    Err end_err;
    Status s = sql_run(load->sql, STR(
        "CREATE TEMP TABLE onym_left (person_id text) ON COMMIT DROP; "
        "CREATE TEMP TABLE onym_now (kind text, value text, person_id text, valid_from timestamptz, "
        "valid_from_id text, valid_to timestamptz, valid_to_id text) ON COMMIT DROP"), err);
    if (!s) s = sql_copy(load->sql, STR("COPY onym_now FROM STDIN"), err);
    if (s) return s;
    while (!s && people->identifier_count) {
        for (size_t at = 0; !s && at < people->identifier_count; at++)
            s = put_identifier(load, &people->identifiers[at], err);
        if (!s) s = next_piece(people, false, err);
    }
    if (!s && load->lines.len) s = sql_put(load->sql, buf_str(&load->lines), err);
    buf_clear(&load->lines);
    Status ended = sql_end(load->sql, &rows, &end_err);
    if (ended) *err = end_err;
    return ended ? ended : s;
}

static void put_name(struct load *load, const char *table)
{
    warehouse_put_table_name(&load->statement, load->schema, str_from(table));
}

#define SAME "n.kind = i.kind AND n.value = i.value AND n.valid_from = i.valid_from AND n.valid_from_id = " \
    "i.valid_from_id AND n.valid_to = i.valid_to AND n.valid_to_id = i.valid_to_id AND n.person_id = i.person_id"

static Status put_identifiers(struct warehouse_people *people, struct load *load, Err *err)
{
    struct buf *out = &load->statement;
    Status s = copy_identifiers(people, load, err);
    if (s) return s;
    buf_str_put(out, STR("ANALYZE onym_now; WITH gone AS (DELETE FROM "));
    put_name(load, "onym_identifiers");
    buf_str_put(out, STR(" i WHERE NOT EXISTS (SELECT FROM onym_now n WHERE " SAME ")"));
    if (!people->is_all)
        buf_str_put(out, STR(" AND (i.kind, i.value) IN (SELECT kind, value FROM onym_now)"));
    buf_str_put(out, STR(" RETURNING person_id) INSERT INTO onym_left SELECT DISTINCT person_id FROM gone; "
                         "INSERT INTO "));
    put_name(load, "onym_identifiers");
    buf_str_put(out, STR(" (kind, value, person_id, valid_from, valid_from_id, valid_to, valid_to_id) SELECT kind, "
                         "value, person_id, valid_from, valid_from_id, valid_to, valid_to_id FROM onym_now "
                         "WHERE person_id IS NOT NULL ON CONFLICT DO NOTHING"));
    return load_run(load, err);
}

/* ---- People ---- */

static Status put_people(struct warehouse_people *people, struct load *load, struct warehouse_maker *maker, Err *err)
{
    struct region region;
    Status s = next_piece(people, true, err);
    region_open(&region, WAREHOUSE_SCRATCH_BYTES);
    while (!s && people->told_count) {
        for (size_t at = 0; !s && at < people->told_count; at++) {
            const PeopleTold *told = &people->told[at];
            WarehousePerson person = { told->person_id, told->user_id, told->first_ms, told->last_ms, told->traits };
            WarehouseMessage message;
            Arena arena = region_arena(&region);
            if (warehouse_load_is_full(load)) s = warehouse_load_flush(load, err);
            if (!s) s = warehouse_make_person(maker, &person, &arena, &message, err);
            if (!s) warehouse_load_add(load, &message, STR(""));
        }
        if (!s) s = next_piece(people, true, err);
    }
    region_close(&region);
    return s ? s : warehouse_load_flush(load, err);
}

/* Whom no identifier names any more: merged into somebody, or erased. */
static Status drop_people(struct warehouse_people *people, struct load *load, Err *err)
{
    struct buf *out = &load->statement;
    uint32_t table = warehouse_catalog_table(load->catalog, STR("onym_people"));
    if (table == WAREHOUSE_NONE || !load->catalog->tables[table].exists) return OK;
    buf_str_put(out, STR("DELETE FROM "));
    put_name(load, "onym_people");
    buf_str_put(out, STR(" p WHERE NOT EXISTS (SELECT FROM "));
    put_name(load, "onym_identifiers");
    buf_str_put(out, STR(" i WHERE i.person_id = p.person_id)"));
    if (!people->is_all) buf_str_put(out, STR(" AND p.person_id IN (SELECT person_id FROM onym_left)"));
    buf_str_put(out, STR("; DROP TABLE onym_left; DROP TABLE onym_now"));
    return load_run(load, err);
}

Status warehouse_people_tell(struct warehouse_people *people, struct load *load, struct warehouse_maker *maker,
                             const PeopleRange *range, Err *err)
{
    warehouse_put_people_tables(&load->statement, load->schema);
    Status s = load_run(load, err);
    uint32_t table = warehouse_catalog_table(load->catalog, STR("onym_identifiers"));
    if (!s && table != WAREHOUSE_NONE) load->catalog->tables[table].exists = true;       /* for erasures */
    if (!s) s = begin_round(people, range, err);
    if (!s) s = put_identifiers(people, load, err);
    if (!s) s = put_people(people, load, maker, err);
    if (!s) s = drop_people(people, load, err);
    return s ? err_wrap(err, s, "people") : OK;
}

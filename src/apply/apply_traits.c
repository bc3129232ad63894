/* apply_traits: the station of traits, and what readers ask of it. */
#include "apply_private.h"

#include <stdlib.h>

/* ---- The station ---- */

struct trait_list { ProfileTrait *items; size_t count, max; };

static void take_trait(void *context, Str key, const Field *value)
{
    struct trait_list *list = context;
    if (list->count < list->max) list->items[list->count++] = (ProfileTrait){ key, value->raw };
}

/* The traits of an identify or a group. Keys and values live in the arena and the record. */
static Status list_traits(struct applier *applier, const Event *event, Arena *arena, struct trait_list *list, Err *err)
{
    Field traits;
    *list = (struct trait_list){ 0 };
    Status s = event_find_field(applier->parser, event->json, STR("traits"), arena, &traits, err);
    if (s || traits.kind != FIELD_OBJECT || traits.key_count == 0) return s;
    list->max = traits.key_count;
    list->items = arena_new(arena, ProfileTrait, list->max);
    return event_visit_object(applier->parser, traits.raw, arena, take_trait, list, err);
}

Status apply_write_profile(struct applier *applier, const Event *event, JournalPos pos, IdentityNode subject, Err *err)
{
    struct trait_list list;
    bool is_group = event->type == EVENT_GROUP && event->group_id.len;
    if ((event->type != EVENT_IDENTIFY && !is_group) || subject == IDENTITY_NONE) return OK;
    Arena arena = region_arena(&applier->traits_region);
    Status s = list_traits(applier, event, &arena, &list, err);
    if (s) return err_wrap(err, s, "the traits of the record at %llu", (unsigned long long)pos);
    ProfileWrite write = { event->timestamp_ms, event->message_id, pos, 0 };
    bool keeps_all = identity_kind_of(applier->identity, subject) != IDENTITY_USER;
    if (!is_group) return profile_set_traits(applier->profile, subject, keeps_all, &write, list.items, list.count, err);
    s = profile_join_group(applier->profile, subject, keeps_all, &write, event->group_id, err);
    if (s) return s;
    return profile_set_group_traits(applier->profile, event->group_id, &write, list.items, list.count, err);
}

/* ---- One person ---- */

struct whose { const struct identity *identity; IdentityPerson person; };

static bool is_of_person(void *context, uint32_t subject, Millis time_ms, Str message_id)
{
    const struct whose *whose = context;
    return identity_find_owner(whose->identity, subject, time_ms, message_id) == whose->person;
}

/* Every subject that may have written something of the person's. whose is kept. */
static Status list_subjects(struct applier *applier, struct whose *whose, Arena *arena, ProfileSubject **ret,
                            size_t *ret_count, Err *err)
{
    IdentityMember *members;
    size_t count, kept = 0;
    Status s = identity_list_members(applier->identity, whose->person, arena, &members, &count, err);
    if (s) return s;
    ProfileSubject *subjects = arena_try(arena, sizeof *subjects, _Alignof(ProfileSubject), count + 1);
    if (!subjects) return err_set(err, ERR_TOO_LARGE, "the person has more ids than an answer holds");
    for (size_t at = 0; at < count; at++) {
        if (members[at].kind == IDENTITY_USER) subjects[kept++] = (ProfileSubject){ .subject = members[at].node };
        else if (members[at].kind == IDENTITY_ANONYMOUS)
            subjects[kept++] = (ProfileSubject){ members[at].node, is_of_person, whose };
    }
    *ret = subjects;
    *ret_count = kept;
    return OK;
}

typedef Status ReadProfile(struct profile_reader *reader, const ProfileSubject *subjects, size_t count, Arena *arena,
                           ProfileValues *ret, Err *err);

static Status read_person(struct applier *applier, IdentityPerson person, ReadProfile *read, Arena *arena,
                          ProfileValues *ret, Err *err)
{
    struct whose whose = { applier->identity, person };
    struct profile_reader *reader;
    ProfileSubject *subjects = NULL;
    size_t count = 0;
    Status s = list_subjects(applier, &whose, arena, &subjects, &count, err);
    if (!s) s = profile_begin_reading(applier->profile, &reader, err);
    if (s) return s;
    s = read(reader, subjects, count, arena, ret, err);
    profile_end_reading(reader);
    return s;
}

Status apply_read_traits(struct applier *applier, IdentityPerson person, Arena *arena, ProfileValues *ret, Err *err)
{
    return read_person(applier, person, profile_read_traits, arena, ret, err);
}

Status apply_read_groups(struct applier *applier, IdentityPerson person, Arena *arena, ProfileValues *ret, Err *err)
{
    return read_person(applier, person, profile_read_groups, arena, ret, err);
}

static Status read_all_history(struct profile_reader *reader, const ProfileSubject *subjects, size_t count,
                               Arena *arena, ProfileValues *ret, Err *err)
{
    return profile_read_history(reader, subjects, count, STR(""), arena, ret, err);
}

Status apply_read_history(struct applier *applier, IdentityPerson person, Arena *arena, ProfileValues *ret, Err *err)
{
    return read_person(applier, person, read_all_history, arena, ret, err);
}

static Status write_traits(void *context, IdentityPerson person, Arena *arena, struct buf *out, Err *err)
{
    ProfileValues traits;
    Arena scratch = *arena;
    Status s = apply_read_traits(context, person, &scratch, &traits, err);
    if (s) return s;
    buf_char(out, '{');
    for (size_t at = 0; at < traits.count; at++) {
        if (at) buf_char(out, ',');
        buf_json_string(out, traits.items[at].key);
        buf_char(out, ':');
        buf_str_put(out, traits.items[at].json);
    }
    buf_char(out, '}');
    return OK;
}

People apply_people(struct applier *applier)
{
    return (People){ .identity = applier->identity, .index = applier->index, .journal = applier->options.journal,
                     .write_traits = write_traits, .context = applier };
}

struct profile *apply_profile(struct applier *applier) { return applier->profile; }

/* ---- By name ---- */

Status apply_find_names(struct applier *applier, Str text, size_t max, IdentityPerson *people, size_t *ret_count,
                        Err *err)
{
    struct profile_reader *reader;
    uint32_t *subjects = malloc((max + 1) * sizeof *subjects);
    size_t count = 0, kept = 0;
    check(subjects);
    Status s = profile_begin_reading(applier->profile, &reader, err);
    if (!s) {
        s = profile_find_name(reader, text, max, subjects, &count, err);
        profile_end_reading(reader);
    }
    for (size_t at = 0; !s && at < count; at++) {
        IdentityPerson person = identity_person_now(applier->identity, subjects[at]);
        bool is_again = person == IDENTITY_NONE;
        for (size_t before = 0; before < kept && !is_again; before++) is_again = people[before] == person;
        if (!is_again) people[kept++] = person;
    }
    free(subjects);
    *ret_count = kept;
    return s;
}

/* ---- One trait of everybody ---- */

/* Texts lie in one block; each person's is at an offset of it. The message that wrote it decides against others. */
struct held { uint32_t person, len, id_len; uint64_t at; Millis time_ms; };

struct trait_table {
    const struct identity_view *view;
    struct held *held;                      /* a hash table of persons; capacity is a power of two */
    size_t count, capacity, max_bytes;
    struct buf texts;
    bool is_full;
};

static struct held *find_held(const struct trait_table *table, uint32_t person)
{
    size_t at = person * UINT64_C(0x9E3779B97F4A7C15) >> 20 & (table->capacity - 1);
    while (table->held[at].person != IDENTITY_NONE && table->held[at].person != person)
        at = (at + 1) & (table->capacity - 1);
    return &table->held[at];
}

static void grow_table(struct trait_table *table)
{
    struct held *before = table->held;
    size_t capacity = table->capacity;
    table->capacity = capacity ? capacity * 2 : 1024;
    table->held = malloc(table->capacity * sizeof *table->held);
    check(table->held);
    for (size_t at = 0; at < table->capacity; at++) table->held[at].person = IDENTITY_NONE;
    for (size_t at = 0; at < capacity; at++)
        if (before[at].person != IDENTITY_NONE) *find_held(table, before[at].person) = before[at];
    free(before);
}

static int compare_with_held(const struct trait_table *table, const struct held *held, const ProfileValue *value)
{
    if (held->time_ms != value->time_ms) return held->time_ms < value->time_ms ? -1 : 1;
    Str json = { table->texts.bytes + held->at, held->len };
    int order = str_compare((Str){ json.bytes + held->len, held->id_len }, value->message_id);
    return order ? order : str_compare(json, value->json);
}

static void hold_value(void *context, const ProfileValue *value)
{
    struct trait_table *table = context;
    uint32_t slot = identity_view_slot(table->view, value->subject);
    uint32_t person = identity_is_shared(slot)
                    ? identity_view_find_person(table->view, value->subject, value->time_ms, value->message_id) : slot;
    if (person == IDENTITY_NONE || table->is_full) return;
    if (table->count * 2 >= table->capacity) grow_table(table);
    struct held *held = find_held(table, person);
    bool is_new = held->person == IDENTITY_NONE;
    if (!is_new && compare_with_held(table, held, value) >= 0) return;
    *held = (struct held){ person, (uint32_t)value->json.len, (uint32_t)value->message_id.len, table->texts.len,
                           value->time_ms };
    table->count += is_new;
    buf_str_put(&table->texts, value->json);
    buf_str_put(&table->texts, value->message_id);
    table->is_full = !buf_ok(&table->texts) ||
                     table->texts.len + table->capacity * sizeof *table->held > table->max_bytes;
}

Status apply_open_trait(struct applier *applier, const struct identity_view *view, Str name, size_t max_bytes,
                        struct trait_table **ret, Err *err)
{
    struct profile_reader *reader;
    struct trait_table *table = calloc(1, sizeof *table);
    check(table);
    table->view = view;
    table->max_bytes = max_bytes;
    buf_init(&table->texts, max_bytes);
    grow_table(table);
    Status s = profile_begin_reading(applier->profile, &reader, err);
    if (!s) {
        s = profile_visit_trait(reader, name, hold_value, table, err);
        profile_end_reading(reader);
    }
    if (!s && table->is_full)
        s = err_set(err, ERR_TOO_LARGE, "the trait %.*s of everybody takes more than %zu bytes", STR_FORMAT(name),
                    max_bytes);
    if (s) apply_close_trait(table);
    else *ret = table;
    return s;
}

bool apply_find_trait(const struct trait_table *table, IdentityPerson person, Str *ret_json)
{
    const struct held *held = find_held(table, person);
    if (held->person == IDENTITY_NONE) return false;
    *ret_json = (Str){ table->texts.bytes + held->at, held->len };
    return !str_equal(*ret_json, STR("null"));
}

void apply_close_trait(struct trait_table *table)
{
    if (!table) return;
    buf_done(&table->texts);
    free(table->held);
    free(table);
}

/* people_traits: what people said of themselves: traits, groups, history; people found by a name or an email; what is
 * said of groups, and by whom. */
#include "people.h"

#include <stdlib.h>

enum { EMAILS_MOST = 50 };

/* ---- One person ---- */

struct whose { const struct identity *identity; IdentityPerson person; };

static bool is_of_person(void *context, uint32_t subject, Millis time_ms, Str message_id)
{
    const struct whose *whose = context;
    return identity_find_owner(whose->identity, subject, time_ms, message_id) == whose->person;
}

/* Every subject that may have written something of the person's. whose is kept. */
static Status list_subjects(const People *people, struct whose *whose, Arena *arena, ProfileSubjects *ret, Err *err)
{
    IdentityMember *members;
    size_t count, kept = 0;
    Status s = identity_list_members(people->identity, whose->person, arena, &members, &count, err);
    if (s) return s;
    ProfileSubject *subjects = arena_try(arena, sizeof *subjects, _Alignof(ProfileSubject), count + 1);
    if (!subjects) return err_set(err, ERR_TOO_LARGE, "the person has more ids than an answer holds");
    for (size_t at = 0; at < count; at++) {
        if (members[at].kind == IDENTITY_USER) subjects[kept++] = (ProfileSubject){ .subject = members[at].node };
        else if (members[at].kind == IDENTITY_ANONYMOUS)
            subjects[kept++] = (ProfileSubject){ members[at].node, is_of_person, whose };
    }
    *ret = (ProfileSubjects){ subjects, kept };
    return OK;
}

typedef Status ReadProfile(struct profile_reader *reader, ProfileSubjects subjects, Arena *arena, ProfileValues *ret,
                           Err *err);

static Status read_person(const People *people, IdentityPerson person, ReadProfile *read, Arena *arena,
                          ProfileValues *ret, Err *err)
{
    struct whose whose = { people->identity, person };
    struct profile_reader *reader;
    ProfileSubjects subjects;
    Status s = list_subjects(people, &whose, arena, &subjects, err);
    if (!s) s = profile_begin_reading(people->profile, &reader, err);
    if (s) return s;
    s = read(reader, subjects, arena, ret, err);
    profile_end_reading(reader);
    return s;
}

Status people_read_traits(const People *people, IdentityPerson person, Arena *arena, ProfileValues *ret, Err *err)
{
    return read_person(people, person, profile_read_traits, arena, ret, err);
}

Status people_read_groups(const People *people, IdentityPerson person, Arena *arena, ProfileValues *ret, Err *err)
{
    size_t kept = 0;
    Status s = read_person(people, person, profile_read_groups, arena, ret, err);
    for (size_t at = 0; !s && at < ret->count; at++)               /* an older version kept placeholders, too */
        if (!identity_is_blocked(people->identity, ret->items[at].key)) ret->items[kept++] = ret->items[at];
    if (!s) ret->count = kept;
    return s;
}

static Status read_all_history(struct profile_reader *reader, ProfileSubjects subjects, Arena *arena,
                               ProfileValues *ret, Err *err)
{
    return profile_read_history(reader, subjects, STR(""), arena, ret, err);
}

Status people_read_history(const People *people, IdentityPerson person, Arena *arena, ProfileValues *ret, Err *err)
{
    return read_person(people, person, read_all_history, arena, ret, err);
}

/* ---- By name ---- */

Status people_find_names(const People *people, Str text, size_t max, IdentityPerson *found, size_t *ret_count,
                        Err *err)
{
    struct profile_reader *reader;
    uint32_t *subjects = malloc((max + 1) * sizeof *subjects);
    size_t count = 0, kept = 0;
    check(subjects);
    Status s = profile_begin_reading(people->profile, &reader, err);
    if (!s) {
        s = profile_find_name(reader, text, max, subjects, &count, err);
        profile_end_reading(reader);
    }
    for (size_t at = 0; !s && at < count; at++) {
        IdentityPerson person = identity_person_now(people->identity, subjects[at]);
        bool is_again = person == IDENTITY_NONE;
        for (size_t before = 0; before < kept && !is_again; before++) is_again = found[before] == person;
        if (!is_again) found[kept++] = person;
    }
    free(subjects);
    *ret_count = kept;
    return s;
}

/* If email is no identifier of the configuration, the trait decides: finds whoever has it now. */
Status people_find_email(const People *people, Str email, Arena *arena, IdentityPerson *ret, bool *ret_is_shared,
                         Err *err)
{
    IdentityPerson found[EMAILS_MOST];
    size_t count, holders = 0;
    Status s = email.len ? people_find_names(people, email, EMAILS_MOST, found, &count, err) : ERR_NOT_FOUND;
    for (size_t at = 0; !s && at < count; at++) {
        Arena scratch = *arena;
        ProfileValues traits = { 0 };
        const TreeNode *value;
        s = people_read_traits(people, found[at], &scratch, &traits, err);
        for (size_t trait = 0; !s && trait < traits.count; trait++) {
            if (!str_equal(traits.items[trait].key, STR("email"))) continue;
            if (event_tree_read(traits.items[trait].json, &scratch, &value, NULL)) continue;
            if (!str_equal_no_case(value->text, email)) continue;
            if (holders++ == 0) *ret = found[at];
            break;
        }
    }
    *ret_is_shared = holders > 1;
    return s || holders ? s : ERR_NOT_FOUND;
}

/* ---- Groups ---- */

Status people_read_group(const People *people, Str group_id, Arena *arena, ProfileValues *ret, Err *err)
{
    struct profile_reader *reader;
    if (identity_is_blocked(people->identity, group_id))
        return err_set(err, ERR_NOT_FOUND, "\"%.*s\" is a blocked value: it never names a group", STR_FORMAT(group_id));
    Status s = profile_begin_reading(people->profile, &reader, err);
    if (s) return s;
    s = profile_read_group(reader, group_id, arena, ret, err);
    profile_end_reading(reader);
    return s;
}

/* A cursor is the hash of the last member that was listed. It is valid as long as the member's id: a rebuild changes
 * neither the cursor nor the order, and the person whom it names need not be a member any more. */
Status people_list_members(const People *people, Str group_id, const PeoplePage *page, GroupMember *members,
                           size_t *ret_count, Err *err)
{
    struct profile_reader *reader;
    PageCursor last;
    Status s = page_read(PAGE_HASH, 0, page->cursor, page->field, &last, err);
    if (s) return s;
    *ret_count = 0;
    if (identity_is_blocked(people->identity, group_id)) return OK;
    ProfileMembers found = { .items = malloc((page->limit + 1) * sizeof *found.items), .max = page->limit };
    check(found.items);
    s = profile_begin_reading(people->profile, &reader, err);
    if (!s) {
        const Hash128 *after = page->cursor.len ? &last.hash : NULL;
        s = profile_list_group_members(reader, group_id, after, &found, err);
        profile_end_reading(reader);
    }
    for (size_t at = 0; !s && at < found.count; at++)
        members[at] = (GroupMember){ found.items[at].member,
                                     identity_person_now(people->identity, found.items[at].subject) };
    *ret_count = found.count;
    free(found.items);
    return s;
}

Str people_member_cursor(const GroupMember *member, Arena *arena)
{
    char room[PAGE_CURSOR_BYTES];
    return arena_copy(arena, page_write(PAGE_HASH, (PageCursor){ .hash = member->number }, room));
}

/* profile: what is known about people: traits, groups, and who set what, when and from where.
 *
 * Everything hangs on the *subject* that wrote it (identity's node: a user id or an anonymous id) and is brought
 * together when a person is read. So merging and parting people rewrites nothing: the person's subjects are other
 * ones, and the same rule over them gives the answer.
 *
 * What it is not: it counts no events (index/ has them by subject, sorted by time) and knows no rule of who is who:
 * the caller says which subjects are the person's, and for a shared device which instants. It may call kv/ and base/.
 *
 * What was written since the last save waits in memory, at most some tens of megabytes; what was saved is in kv.
 * Readers see both, at once: a trait can be read as soon as its message was applied. Who saves puts the journal
 * position that it has reached into the same transaction.
 *
 * Rules
 *  1. Per trait the last write wins, by (event time, messageId), whatever order they arrived in. null unsets.
 *  2. Merging people is the same rule over all of their subjects.
 *  3. A group call adds its person to the group for good, and writes the group's traits by rule 1.
 *  4. History is bounded. Of a user id, per trait: for each of the 16 values set last, its first and its last
 *     write. Of an anonymous id, which may turn out to be several people's by time: the newest 16 writes.
 *     Within these bounds history does not depend on arrival order either; the current value never does.
 *  5. A subject has at most 2,000 traits, and 1 MiB of writes: of more, those that were not written for longest go.
 *
 *  6. Names (email, name, firstName, lastName, username) are found by how they begin, in any case of ASCII letters:
 *     an index of what the rows hold, history included; forgotten with the row.
 *
 * Threads: one writer. Reading by any thread, each with a reader of its own; neither waits for the other longer than
 * a row takes.
 */
#ifndef ONYM_PROFILE_PROFILE_H
#define ONYM_PROFILE_PROFILE_H

#include "kv/kv.h"

enum { PROFILE_HISTORY = 16, PROFILE_KEYS = 2000, PROFILE_BYTES = 1024 * 1024 };

struct profile;

typedef struct ProfileOptions {
    struct kv *kv;                      /* kept; NULL: all stays in memory */
    size_t subjects, groups, members, names;        /* four tables of it, by their numbers */
} ProfileOptions;

/* The caller closes; readers have ended before. What was not saved is forgotten. */
struct profile *profile_open(const ProfileOptions *options);
void profile_close(struct profile *profile);        /* accepts NULL */

/* ---- Writing ---- */

/* The message that writes. */
typedef struct ProfileWrite {
    Millis time_ms;                     /* event time */
    Str message_id;
    uint64_t position;
    uint16_t source;
} ProfileWrite;

typedef struct ProfileTrait {
    Str key;                            /* unescaped */
    Str json;                           /* the value as JSON text; null unsets */
} ProfileTrait;

/* The subject that writes. */
typedef struct ProfileWriter {
    uint32_t subject;
    bool keeps_all;                     /* it is an anonymous id (rule 4) */
    Hash128 member;                     /* a number that a rebuild gives it again (of its kind and value), always the
                                           same for a subject: pages of a group's members go by it */
} ProfileWriter;

/* Writes a subject's traits. A key that stands twice: the last one counts. Repeating a message changes nothing. The
 * writer's member is not asked for. */
Status MUST profile_set_traits(struct profile *profile, const ProfileWriter *writer, const ProfileWrite *write,
                               const ProfileTrait *traits, size_t count, Err *err);
/* Adds the subject to a group. */
Status MUST profile_join_group(struct profile *profile, const ProfileWriter *writer, const ProfileWrite *write,
                               Str group_id, Err *err);
Status MUST profile_set_group_traits(struct profile *profile, Str group_id, const ProfileWrite *write,
                                     const ProfileTrait *traits, size_t count, Err *err);
/* Forgets what a subject wrote about itself from from_ms to before to_ms, memberships and names included;
 * INT64_MIN, INT64_MAX: all of it. */
Status MUST profile_erase(struct profile *profile, uint32_t subject, Hash128 member, Millis from_ms, Millis to_ms,
                          Err *err);

/* How much waits for a save. */
size_t profile_unsaved_bytes(const struct profile *profile);
/* Writes all that waits into the transaction. Then commit, and say by profile_end_save whether that worked, before
 * anything else is written. Readers see no difference. */
Status MUST profile_save(struct profile *profile, struct kv_txn *txn, Err *err);
void profile_end_save(struct profile *profile, bool is_committed);

/* ---- Reading ---- */

/* Of one thread, for one answer. */
struct profile_reader;
Status MUST profile_begin_reading(struct profile *profile, struct profile_reader **ret, Err *err);
void profile_end_reading(struct profile_reader *reader);                /* accepts NULL */

/* A subject of the person. owns: whether what it wrote at (time, messageId) is the person's; NULL: all is. */
typedef struct ProfileSubject {
    uint32_t subject;
    bool (*owns)(void *context, uint32_t subject, Millis time_ms, Str message_id);
    void *context;
} ProfileSubject;
typedef struct ProfileSubjects {
    const ProfileSubject *items;
    size_t count;
} ProfileSubjects;

/* Something that was set, and by which message. Strings live in the arena. */
typedef struct ProfileValue {
    Str key;                            /* the trait; for groups: the group's id */
    Str json;
    Millis time_ms;
    Str message_id;
    uint64_t position;
    uint16_t source;
    uint32_t subject;
} ProfileValue;

typedef struct ProfileValues {
    ProfileValue *items;
    size_t count;
} ProfileValues;

/* The current traits of a person, by key. Those that were unset are left out. */
Status MUST profile_read_traits(struct profile_reader *reader, ProfileSubjects subjects, Arena *arena,
                                ProfileValues *ret, Err *err);
/* Who set this trait to what, newest first; every trait's where the key is empty. */
Status MUST profile_read_history(struct profile_reader *reader, ProfileSubjects subjects, Str key, Arena *arena,
                                 ProfileValues *ret, Err *err);
/* The groups of a person, each with the write that first said so, by id. */
Status MUST profile_read_groups(struct profile_reader *reader, ProfileSubjects subjects, Arena *arena,
                                ProfileValues *ret, Err *err);
/* A group's current traits. ERR_NOT_FOUND: no group call named it. */
Status MUST profile_read_group(struct profile_reader *reader, Str group_id, Arena *arena, ProfileValues *ret,
                               Err *err);
typedef struct ProfileMember {
    Hash128 member;
    uint32_t subject;
} ProfileMember;
typedef struct ProfileMembers {
    ProfileMember *items;               /* room for max */
    size_t max, count;
} ProfileMembers;
/* The subjects in a group, at most list->max; by member, ascending, after the given one (NULL: from the first). */
Status MUST profile_list_group_members(struct profile_reader *reader, Str group_id, const Hash128 *after,
                                       ProfileMembers *list, Err *err);
/* Subjects with a name that begins with the text (rule 6), each once, in order of the names; *ret_count of them, at
 * most max. Names of old count, too: ask the person's traits where that matters. */
Status MUST profile_find_name(struct profile_reader *reader, Str text, size_t max, uint32_t *subjects,
                              size_t *ret_count, Err *err);
/* Calls visit for every write of the trait that may be somebody's current one, and of those that it may lie in: of
 * "a.b" also "a", which may be an object with a "b". An empty key: of every trait; a subject's writes of a key come
 * one after the other, in order. Otherwise no order. Strings are valid for the call. For questions of everybody; false
 * ends it. */
typedef bool ProfileVisit(void *context, const ProfileValue *value);
Status MUST profile_visit_trait(struct profile_reader *reader, Str key, ProfileVisit *visit, void *context, Err *err);

#endif

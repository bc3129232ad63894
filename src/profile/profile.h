/* profile: what is known about people: traits, groups, and who set what, when and from where.
 *
 * Everything belongs to the *subject* that wrote it (identity's node: a user id or an anonymous id) and is brought
 * together when a person is read. So merging and parting people rewrites nothing: only the list of the person's
 * subjects changes, and the same rule over them gives the answer.
 *
 * What it does not do: it counts no events (index/ has them by subject, sorted by time) and does not decide who is who:
 * the caller says which subjects are the person's, and for a shared device at which times. It may call kv/ and base/.
 *
 * What was written since the last save waits in memory, at most some tens of megabytes; what was saved is in kv.
 * Readers see both, at once: a trait can be read as soon as its message was applied. The caller who saves puts the
 * journal position that it has reached into the same transaction.
 *
 * Rules
 *  1. Of each trait the last write wins, by (event time, messageId), in whatever order they arrived. null unsets.
 *  2. Merging people is the same rule over all of their subjects.
 *  3. A group call adds its person to the group for good, and writes the group's traits by rule 1.
 *  4. History is bounded. For each trait of a user id it is the first and the last write of each of the 16 values set
 *     last. For each trait of an anonymous id, which may turn out to belong to several people, it is the newest 16
 *     writes. Within these bounds history does not depend on arrival order either; the current value never does.
 *  5. A subject has at most 2,000 traits, and 1 MiB of writes: if there are more, those that were written longest ago
 *  go.
 *
 *  6. Names (email, name, firstName, lastName, username) are found by how they begin, in any case of ASCII letters:
 *     there is an index of the names in the rows, history included. When the row is forgotten, they are, too.
 *
 * Threads: one writer. Any thread may read, each with a reader of its own. Readers and the writer never wait for each
 * other longer than one row takes.
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
    Hash128 member;                     /* a number made of its kind and value: a rebuild gives it again. It is
                                           always the same for a subject: pages of a group's members are in its order */
} ProfileWriter;

/* Writes a subject's traits. If a key is there twice, the last one counts. Repeating a message changes nothing. The
 * writer's member is not used. */
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
/* Writes all that waits into the transaction. Then commit, and tell profile_end_save whether that worked, before
 * you write anything else. Readers see no difference. */
Status MUST profile_save(struct profile *profile, struct kv_txn *txn, Err *err);
void profile_end_save(struct profile *profile, bool is_committed);

/* ---- Reading ---- */

/* Of one thread, for one answer. */
struct profile_reader;
Status MUST profile_begin_reading(struct profile *profile, struct profile_reader **ret, Err *err);
void profile_end_reading(struct profile_reader *reader);                /* accepts NULL */

/* A subject of the person. owns: does what it wrote at (time, messageId) belong to the person? NULL: all of it does. */
typedef struct ProfileSubject {
    uint32_t subject;
    bool (*owns)(void *context, uint32_t subject, Millis time_ms, Str message_id);
    void *context;
} ProfileSubject;
typedef struct ProfileSubjects {
    const ProfileSubject *items;
    size_t count;
} ProfileSubjects;

/* Something that was set, and the message that set it. Strings are in the arena. */
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
/* Who set this trait to what, newest first; if the key is empty, the same for every trait. */
Status MUST profile_read_history(struct profile_reader *reader, ProfileSubjects subjects, Str key, Arena *arena,
                                 ProfileValues *ret, Err *err);
/* The groups of a person in order of their ids, each with the write that first named it. */
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
 * most max. Former names count, too: if that matters, look at the person's traits. */
Status MUST profile_find_name(struct profile_reader *reader, Str text, size_t max, uint32_t *subjects,
                              size_t *ret_count, Err *err);
/* For questions about everybody. Calls visit for every write of the trait that may be somebody's current one, and for
 * writes of traits that may contain it: for "a.b" also for "a", which may be an object with a "b". An empty key means
 * every trait. A subject's writes of a key come one after the other, in order; there is no other order. Strings are
 * valid during the call. If visit returns false, it is not called again. */
typedef bool ProfileVisit(void *context, const ProfileValue *value);
Status MUST profile_visit_trait(struct profile_reader *reader, Str key, ProfileVisit *visit, void *context, Err *err);

#endif

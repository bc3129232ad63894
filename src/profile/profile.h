/* profile: what is known about people: traits, groups, and who set what, when and from where.
 *
 * Everything hangs on the *subject* that wrote it (identity's node: a user id or an anonymous id) and is brought
 * together when a person is read. So merging and parting people rewrites nothing: the person's subjects are other
 * ones, and the same rule over them gives the answer.
 *
 * What it is not: it counts no events (index/ has them by subject, sorted by time) and knows no rule of who is who:
 * the caller says which subjects are the person's, and for a shared device which instants. It holds no memory: all
 * is in kv, read and written in the caller's transaction. It may call kv/ and base/.
 *
 * Rules
 *  1. Per trait the last write wins, by (event time, messageId), whatever order they arrived in. null unsets.
 *  2. Merging people is the same rule over all of their subjects.
 *  3. A group call adds its person to the group for good, and writes the group's traits by rule 1.
 *  4. History is bounded. Of a user id, per trait: for each of the 16 values set last, its first and its last
 *     write. Of an anonymous id, which may turn out to be several people's by time: the newest 16 writes.
 *     Within these bounds history does not depend on arrival order either; the current value never does.
 *  5. A subject has at most 2,000 traits: of more, those that were not written for longest are forgotten.
 *
 * Threads: writing by the one who has the writing transaction; reading by anybody with a reading one.
 */
#ifndef ONYM_PROFILE_PROFILE_H
#define ONYM_PROFILE_PROFILE_H

#include "kv/kv.h"

enum { PROFILE_HISTORY = 16, PROFILE_KEYS = 2000 };

/* Three tables of one kv, by their numbers. */
typedef struct Profile {
    size_t subjects, groups, members;
} Profile;

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

/* Writes a subject's traits. keeps_all: the subject is an anonymous id. A key that stands twice: the last one
 * counts. Repeating a message changes nothing. */
Status MUST profile_set_traits(Profile profile, struct kv_txn *txn, uint32_t subject, bool keeps_all,
                               const ProfileWrite *write, const ProfileTrait *traits, size_t count, Err *err);
/* Adds the subject to a group. */
Status MUST profile_join_group(Profile profile, struct kv_txn *txn, uint32_t subject, bool keeps_all,
                               const ProfileWrite *write, Str group_id, Err *err);
Status MUST profile_set_group_traits(Profile profile, struct kv_txn *txn, Str group_id, const ProfileWrite *write,
                                     const ProfileTrait *traits, size_t count, Err *err);
/* Forgets all that a subject wrote about itself, and its memberships. */
Status MUST profile_erase(Profile profile, struct kv_txn *txn, uint32_t subject, Err *err);

/* ---- Reading ---- */

/* A subject of the person. owns: whether what it wrote at (time, messageId) is the person's; NULL: all is. */
typedef struct ProfileSubject {
    uint32_t subject;
    bool (*owns)(void *context, uint32_t subject, Millis time_ms, Str message_id);
    void *context;
} ProfileSubject;

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
Status MUST profile_read_traits(Profile profile, struct kv_txn *txn, const ProfileSubject *subjects, size_t count,
                                Arena *arena, ProfileValues *ret, Err *err);
/* Who set this trait to what, newest first; every trait's where the key is empty. */
Status MUST profile_read_history(Profile profile, struct kv_txn *txn, const ProfileSubject *subjects, size_t count,
                                 Str key, Arena *arena, ProfileValues *ret, Err *err);
/* The groups of a person, each with the write that first said so, by id. */
Status MUST profile_read_groups(Profile profile, struct kv_txn *txn, const ProfileSubject *subjects, size_t count,
                                Arena *arena, ProfileValues *ret, Err *err);
/* A group's current traits. ERR_NOT_FOUND: no group call named it. */
Status MUST profile_read_group(Profile profile, struct kv_txn *txn, Str group_id, Arena *arena, ProfileValues *ret,
                               Err *err);
/* The subjects in a group, at most max; ascending, behind the given one (to page). */
Status MUST profile_list_group_subjects(Profile profile, struct kv_txn *txn, Str group_id, const uint32_t *behind,
                                        size_t max, uint32_t *subjects, size_t *ret_count, Err *err);

#endif

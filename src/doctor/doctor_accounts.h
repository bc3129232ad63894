/* doctor_accounts: types and functions that the files that judge accounts share. */
#ifndef ONYM_DOCTOR_ACCOUNTS_H
#define ONYM_DOCTOR_ACCOUNTS_H

#include "doctor_private.h"

/* The likely reason why an account never arrived. */
typedef enum DoctorMissing {
    MISSING_UNKNOWN, MISSING_BLOCKED, MISSING_SUPPRESSED, MISSING_SPELLING, MISSING_PREFIX, MISSING_EMAIL_IS_ID,
    MISSING_OTHER_ID, MISSING_REJECTED, MISSING_BEFORE, MISSING_OUTAGE, MISSING_LEFT, DOCTOR_MISSING
} DoctorMissing;

struct account {
    const DoctorAccount *given;
    IdentityNode node;                      /* of its user id; IDENTITY_NONE: the account never arrived */
    uint32_t person;                        /* of that user id; QUERY_NOBODY: none */
    const DoctorRow *first, *signup, *again;    /* in the window: its first message, sign-up, second sign-up */
    DoctorMissing missing;
    Str other;                              /* the id under which it arrived; or why it was rejected */
    IdentityNode visitor;                   /* a visitor at that time, whom nobody identified */
    uint32_t visitors;                      /* how many such visitors there are */
    Millis silent_from_ms, silent_to_ms;    /* nothing at all arrived between these times */
    bool is_joined;                         /* an alias joined it to another user id */
};

struct accounts {
    struct exam *exam;
    struct account *items;
    size_t count;
    struct slots by_id;                     /* accounts that never arrived, by their folded ids */
    Millis moved_ms;                        /* added to the table's times, if it has another time zone */
    size_t moved_count;
};

static inline bool account_has_time(const struct account *account) { return account->given->created_ms != INT64_MIN; }
/* When the account was made, in UTC. */
static inline Millis account_at(const struct accounts *accounts, const struct account *account)
{
    return account->given->created_ms + accounts->moved_ms;
}

/* Finds why accounts may never have arrived (doctor_accounts_missing.c). */
Status MUST accounts_find_missing(struct accounts *accounts, Err *err);
/* As JSON (doctor_accounts_write.c). */
void accounts_write(struct accounts *accounts, struct buf *out);

#endif

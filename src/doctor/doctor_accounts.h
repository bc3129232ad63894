/* doctor_accounts: what the files that judge accounts share. */
#ifndef ONYM_DOCTOR_ACCOUNTS_H
#define ONYM_DOCTOR_ACCOUNTS_H

#include "doctor_private.h"

/* Why an account never arrived, as far as can be told. */
typedef enum DoctorMissing {
    MISSING_UNKNOWN, MISSING_BLOCKED, MISSING_SUPPRESSED, MISSING_SPELLING, MISSING_PREFIX, MISSING_EMAIL_IS_ID,
    MISSING_OTHER_ID, MISSING_REJECTED, MISSING_BEFORE, MISSING_OUTAGE, MISSING_LEFT, DOCTOR_MISSING
} DoctorMissing;

struct account {
    const DoctorAccount *given;
    IdentityNode node;                      /* of its user id; IDENTITY_NONE: never arrived */
    uint32_t person;                        /* then, or whoever has it in truth; QUERY_NOBODY */
    const DoctorRow *first, *signup, *again;    /* of the window: its first message, sign-up, and a second one */
    DoctorMissing missing;
    Str other;                              /* the id that it arrived under; the reason of the rejection */
    IdentityNode visitor;                   /* who was there, and whom nobody claimed */
    uint32_t visitors;                      /* so many of them */
    Millis silent_from_ms, silent_to_ms;    /* nothing at all arrived between the two */
    bool is_joined;                         /* one person with another user id */
};

struct accounts {
    struct exam *exam;
    struct account *items;
    size_t count;
    struct slots by_id;                     /* of those that never arrived: by their folded id */
    Millis moved_ms;                        /* the file's times are moved by this: it has another time zone */
    size_t moved_count;
};

static inline bool account_has_time(const struct account *account) { return account->given->created_ms != INT64_MIN; }
/* When it was made, by Onym's clock. */
static inline Millis account_at(const struct accounts *accounts, const struct account *account)
{
    return account->given->created_ms + accounts->moved_ms;
}

/* Where those that never arrived may have gone (doctor_accounts_missing.c). */
Status MUST accounts_find_missing(struct accounts *accounts, Err *err);
/* As JSON (doctor_accounts_write.c). */
void accounts_write(struct accounts *accounts, struct buf *out);

#endif

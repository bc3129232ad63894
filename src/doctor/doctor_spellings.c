/* doctor_spellings: ID-16, users whose ids differ only in the case of letters and in blanks around them, and whom no
 * alias has joined. Of the users whose ids are equal when folded, each is a case except the first by number. */
#include "doctor_private.h"

#include "symptoms/symptoms.h"

#include <stdlib.h>

enum { READ_AT_ONCE = 512 };                /* ids that are read under the applier's guard at once */

struct spelling { uint64_t fold; uint32_t place; };

static bool has_user(const DoctorRow *row) { return row->user != IDENTITY_NONE; }

static int by_user(const DoctorRow *a, const DoctorRow *b)
{
    return a->user != b->user ? doctor_compare(a->user, b->user) : doctor_compare_time(a, b);
}

static uint32_t key_user(const DoctorRow *row) { return row->user; }

/* The first message of each user. */
static size_t list_users(const struct exam *exam, const uint32_t *places, size_t count, struct spelling *spellings)
{
    size_t users = 0;
    for (size_t from = 0; from < count; from = doctor_group(exam, places, count, from, key_user))
        spellings[users++].place = places[from];
    return users;
}

static void read_folds(const struct exam *exam, struct spelling *spellings, size_t from, size_t to)
{
    char room[LIMIT_ID_BYTES];
    derive_begin_reading(exam->question->applier);
    for (size_t at = from; at < to; at++) {
        Str id = identity_read_value(exam->identity, exam->rows[spellings[at].place].user, room);
        spellings[at].fold = id.len ? symptoms_fold_id(id, 0) : at;     /* erased meanwhile: equal to no other */
    }
    derive_end_reading(exam->question->applier);
}

static int by_fold(const void *a, const void *b, void *context)
{
    const struct spelling *x = a, *y = b;
    const DoctorRow *rows = context;
    return x->fold != y->fold ? doctor_compare(x->fold, y->fold)
                              : doctor_compare(rows[x->place].user, rows[y->place].user);
}

static void tell(struct exam *exam, const struct spelling *spellings, size_t count)
{
    const DoctorRow *first = NULL;
    for (size_t at = 0; at < count; at++) {
        const DoctorRow *row = &exam->rows[spellings[at].place];
        bool is_same = at > 0 && spellings[at].fold == spellings[at - 1].fold;
        tally_unit(exam, DOCTOR_ID_16, row->source, 0);
        if (!is_same) first = row;
        else if (row->person != first->person) (void)tally_case(exam, DOCTOR_ID_16, 0, row);
    }
}

Status doctor_pass_spellings(struct exam *exam, Err *err)
{
    uint32_t *places;
    size_t count;
    if (!exam->question->applier) return OK;                 /* a test made the rows */
    Status s = doctor_sort(exam, has_user, by_user, &places, &count, err);
    if (s) return s;
    struct spelling *spellings = calloc(count + 1, sizeof *spellings);
    check(spellings);
    size_t users = list_users(exam, places, count, spellings);
    for (size_t from = 0; !s && from < users; from += READ_AT_ONCE) {
        read_folds(exam, spellings, from, from + READ_AT_ONCE < users ? from + READ_AT_ONCE : users);
        s = doctor_go_on(exam, err);
    }
    qsort_r(spellings, users, sizeof *spellings, by_fold, exam->rows);
    if (!s) tell(exam, spellings, users);
    free(spellings);
    free(places);
    return s;
}

/* doctor: what a tracking set-up does wrong, for whom, and how it is mended. It reads what came in the last days and
 * who is who, and tells findings: `onym doctor`, GET /api/v1/findings. docs/doctor.md defines each of them.
 *
 * What it is not: it changes nothing of what is derived, and starts no thread. A finding is a function of the messages
 * in the journal, of who is who and of the index; the same after a rebuild and in any order of arrival (which five
 * examples are shown goes by position). What operators said of findings, and since when each is known, lies in a small
 * file of its own, since it cannot be derived.
 *
 * How a finding comes about
 *   doctor_gather.c    one pass over the journal: a row a message of the window
 *   doctor_history.c   one scan of the index: when each of these people, and each source, was first seen
 *   doctor_*.c         passes over the rows: each tells units ("of") and cases to a tally (doctor_tally.c)
 *   doctor_write.c     a tally whose share is sure to be over its threshold becomes a finding
 *   doctor_states.c    new, open, muted, resolved: kept in the file
 *   doctor_alerts.c    which changes a receiver of alerts was not told yet
 *
 * Bounds: rows of half of the question's memory (then the window is made shorter, and the answer says so), the caps in
 * doctor_private.h. Time: some half a million messages a second.
 *
 * Threads: doctor_examine by any thread, several at a time, without the applier's guard, which it takes for moments.
 */
#ifndef ONYM_DOCTOR_DOCTOR_H
#define ONYM_DOCTOR_DOCTOR_H

#include "derive/derive.h"
#include "os/os.h"

enum { DOCTOR_SIGNUP_NAMES = 16, DOCTOR_REASON_BYTES = 200, DOCTOR_FINGERPRINT_BYTES = 16 };

/* ---- What is kept of findings ---- */

struct doctor;
/* Reads the file, which need not be there. damage: why it began anew, else empty. */
Status MUST doctor_open(struct disk *disk, const char *path, struct doctor **ret, char damage[ERR_TEXT_BYTES],
                        Err *err);
void doctor_close(struct doctor *doctor);                    /* accepts NULL */

/* Until the instant the finding is told as muted; is_muted false: it is told again. Written before it returns, and
 * told as JSON. ERR_NOT_FOUND: no such finding was ever told. ERR_INPUT: a reason of more than DOCTOR_REASON_BYTES. */
typedef struct DoctorMute {
    bool is_muted;
    Str reason;
    Millis until_ms, now_ms;
} DoctorMute;
Status MUST doctor_mute(struct doctor *doctor, Str fingerprint, const DoctorMute *mute, struct buf *out, Err *err);

/* ---- Examining ---- */

typedef struct DoctorSource {
    Str name;
    bool is_server;
} DoctorSource;

typedef struct DoctorQuestion {
    struct applier *applier;
    struct journal *journal;
    const QueryWorld *world;                /* of the applier, derive_query_world */
    JournalPos end;                         /* what lies before it counts: applied before the world was opened */
    const DoctorSource *sources;            /* of the configuration; the kind of the others is not known */
    size_t source_count;
    Millis since_ms;                        /* how long the window is, up to world->now_ms */
    Str source;                             /* findings of this one; empty: of all */
    bool with_imports;                      /* imported messages, too: their window goes by the time of the event */
    bool tells_people;                      /* examples and persons; else numbers alone */
    bool is_periodic;                       /* the server's own: its numbers are kept for doctor_read_summary */
    Str signups[DOCTOR_SIGNUP_NAMES];       /* events that are a sign-up; none: the usual names, else the first event
                                             * of a user */
    size_t signup_count;
} DoctorQuestion;

/* {"findings":[...], "too_few":[...], "from","to","messages",...}, worst first. Also notes in the file what is new and
 * what has ended. Appends nothing where it fails. */
Status MUST doctor_examine(struct doctor *doctor, const DoctorQuestion *question, struct buf *out, Err *err);
/* The people of one finding, from the number `from` on: {"people":[...],"total","cursor"}. ERR_NOT_FOUND: it is not
 * found now. */
typedef struct DoctorPage {
    Str fingerprint;
    size_t from, limit;
} DoctorPage;
Status MUST doctor_list_people(const DoctorQuestion *question, const DoctorPage *page, struct buf *out, Err *err);

/* What the last periodic examination that came to an end found, for metrics and for who asks when it was. */
typedef struct DoctorSummary {
    Millis at_ms;                           /* 0: none yet. It outlives a restart */
    bool is_counted;                        /* there is one since the start, so that counts say something */
} DoctorSummary;
DoctorSummary doctor_read_summary(struct doctor *doctor);
/* How many findings of each code and severity there are that are not muted: a row for each that a code can have, zeros
 * too, in the order of the table. code and severity are words of the table, never a client's. */
void doctor_visit_counts(struct doctor *doctor, void (*visit)(void *context, const char *code, const char *severity,
                                                              uint32_t count), void *context);
/* Is somebody else's examination under way? Then the server's own waits. */
bool doctor_is_busy(struct doctor *doctor);

/* ---- Alerts (doctor_alerts.c) ---- */

enum { DOCTOR_RECEIVERS = 8, DOCTOR_ALERT_FINDINGS = 50, DOCTOR_ALERT_ID_BYTES = 16 };

/* A receiver of alerts, by a number that stays its own through restarts: a hash of its address. */
typedef struct DoctorReceiver {
    uint64_t key;
    int severity;                           /* the least that it is told: 0 info, 1 warning, 2 error */
    bool wants_text;                        /* a text for Slack; else an object */
    Str url;                                /* where people find the dashboard; may be empty */
} DoctorReceiver;

/* What a message says, so that it can be noted as told. */
typedef struct DoctorAlert {
    char id[DOCTOR_ALERT_ID_BYTES + 1];     /* the same for the same changes */
    size_t count, more;                     /* findings in it; what had no room comes with the next one */
    char fingerprints[DOCTOR_ALERT_FINDINGS][DOCTOR_FINGERPRINT_BYTES + 1];
    Millis changed_ms[DOCTOR_ALERT_FINDINGS];
} DoctorAlert;

/* Once, before the first examination. One that is not among them was removed: if it comes again, it is told anew. */
void doctor_set_receivers(struct doctor *doctor, const DoctorReceiver *receivers, size_t count);
/* Appends the message on what the last periodic examination found that is new or came back, and that the receiver was
 * not told; nothing if ret->count is 0. Worst first. Numbers, and words of the table; of a client's texts only the
 * names of events of five people or more that are plain words. */
void doctor_write_alert(struct doctor *doctor, const DoctorReceiver *receiver, DoctorAlert *ret, struct buf *out);
/* It arrived: these changes are told the receiver never again. Written before it returns. */
Status MUST doctor_note_alert(struct doctor *doctor, uint64_t key, const DoctorAlert *alert, Err *err);

/* ---- Against the truth ---- */

/* An account as the operator's own table of accounts has it. */
typedef struct DoctorAccount {
    Str id;                                 /* the user id that it should have */
    Str email;                              /* may be empty */
    Millis created_ms;                      /* INT64_MIN: not known; then it is never late */
} DoctorAccount;
enum { DOCTOR_ACCOUNTS = 5000 };            /* in one question */

/* Which of these accounts never arrived, are late, came without a history, or signed up twice, each with its likely
 * cause: {"accounts","fine","problems":[{"id","state","cause","code","text",...}],"joined":[{"id","person_id"}],...} as
 * docs/doctor.md has it. The window begins an hour before the first of them, and ends eight days after the last one
 * unless imports are looked at, too; question->since_ms is not looked at. Same cost as doctor_examine. */
Status MUST doctor_judge_accounts(const DoctorQuestion *question, const DoctorAccount *accounts, size_t count,
                                  struct buf *out, Err *err);

#endif

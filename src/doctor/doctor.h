/* doctor: finds what is wrong in a tracking set-up, which people it affects, and how to mend it. It reads the messages
 * of the last days and who is who, and reports findings: `onym doctor`, GET /api/v1/findings. docs/doctor.md defines
 * each of them.
 *
 * What it does not do: it changes no derived data, and starts no thread. Findings depend only on the messages in the
 * journal, on who is who and on the index. They are the same after a rebuild and for any order of arrival (except for
 * the five examples that are shown: these are the newest by position). Mutes, and since when each finding is known,
 * cannot be derived: they are kept in a small file of their own.
 *
 * How a finding comes about
 *   doctor_gather.c    one pass over the journal makes a row of each message of the window
 *   doctor_history.c   a scan of the index: when these people were first seen, and which sources are young
 *   doctor_*.c         passes over the rows add units ("of") and cases to tallies (doctor_tally.c)
 *   doctor_write.c     a tally whose share is sure to be over its threshold becomes a finding
 *   doctor_states.c    keeps in the file whether it is new, open, muted or resolved
 *   doctor_alerts.c    writes an alert about changes that a receiver does not know yet
 *
 * Bounds: rows take at most half of the question's memory (if that is not enough, the window is made shorter, and the
 * answer says so); the caps in doctor_private.h. Time: about half a million messages a second.
 *
 * Threads: any thread may call doctor_examine, several at a time. The caller must not hold the applier's guard:
 * doctor_examine takes it for moments.
 */
#ifndef ONYM_DOCTOR_DOCTOR_H
#define ONYM_DOCTOR_DOCTOR_H

#include "derive/derive.h"
#include "os/os.h"

enum { DOCTOR_SIGNUP_NAMES = 16, DOCTOR_REASON_BYTES = 200, DOCTOR_FINGERPRINT_BYTES = 16 };

/* ---- What is kept of findings ---- */

struct doctor;
/* Reads the file, if there is one. damage: why the file could not be used, so that all begins anew; else empty. */
Status MUST doctor_open(struct disk *disk, const char *path, struct doctor **ret, char damage[ERR_TEXT_BYTES],
                        Err *err);
void doctor_close(struct doctor *doctor);                    /* accepts NULL */

/* Mutes the finding until the instant; is_muted false: ends a mute. Writes the file before it returns, and appends the
 * result as JSON. ERR_NOT_FOUND: no such finding is known. ERR_INPUT: the reason has more than DOCTOR_REASON_BYTES, or
 * the instant is not later than now. */
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
    JournalPos end;                         /* records before it count: they were applied before the world was opened */
    const DoctorSource *sources;            /* of the configuration; other sources are not known to be servers */
    size_t source_count;
    Millis since_ms;                        /* how long the window is, up to world->now_ms */
    Str source;                             /* only findings of this source; empty: of all */
    bool with_imports;                      /* imported messages, too, whose events happened in the window */
    bool tells_people;                      /* the answer has examples and persons; else numbers only */
    bool is_periodic;                       /* the server's own examination: doctor_read_summary has its numbers */
    Str signups[DOCTOR_SIGNUP_NAMES];       /* names of events that mean a sign-up; none: the usual names, and if
                                             * no event has one, the first event of a user */
    size_t signup_count;
} DoctorQuestion;

/* {"findings":[...], "too_few":[...], "from","to","messages",...}, worst first. Also notes in the file which findings
 * are new and which have ended. If it fails, it appends nothing. */
Status MUST doctor_examine(struct doctor *doctor, const DoctorQuestion *question, struct buf *out, Err *err);
/* The people of one finding, from the number `from` on: {"people":[...],"total","cursor"}. ERR_NOT_FOUND: there is no
 * such finding now. */
typedef struct DoctorPage {
    Str fingerprint;
    size_t from, limit;
} DoctorPage;
Status MUST doctor_list_people(const DoctorQuestion *question, const DoctorPage *page, struct buf *out, Err *err);

/* When the last periodic examination was completed, for metrics and status. */
typedef struct DoctorSummary {
    Millis at_ms;                           /* 0: there was none. It is kept through restarts */
    bool is_counted;                        /* one was completed since the start, so the counts mean something */
} DoctorSummary;
DoctorSummary doctor_read_summary(struct doctor *doctor);
/* Visits each code with each severity that it can have, in the order of the table: how many findings there are that are
 * not muted, zero included. code and severity are words of the table, never a client's. */
void doctor_visit_counts(struct doctor *doctor, void (*visit)(void *context, const char *code, const char *severity,
                                                              uint32_t count), void *context);
/* Is an examination under way that somebody asked for? Then the server's own waits. */
bool doctor_is_busy(struct doctor *doctor);

/* ---- Alerts (doctor_alerts.c) ---- */

enum { DOCTOR_RECEIVERS = 8, DOCTOR_ALERT_FINDINGS = 50, DOCTOR_ALERT_ID_BYTES = 16 };

/* A receiver of alerts. Its key is a hash of its address, so it is the same after a restart. */
typedef struct DoctorReceiver {
    uint64_t key;
    int severity;                           /* the lowest severity that it gets: 0 info, 1 warning, 2 error */
    bool wants_text;                        /* it wants a text for Slack; else an object */
    Str url;                                /* where people find the dashboard; may be empty */
} DoctorReceiver;

/* Which changes a message tells, so that they can be noted once it has arrived. */
typedef struct DoctorAlert {
    char id[DOCTOR_ALERT_ID_BYTES + 1];     /* the same for the same changes */
    size_t count, more;                     /* findings in it; findings left for the next message */
    char fingerprints[DOCTOR_ALERT_FINDINGS][DOCTOR_FINGERPRINT_BYTES + 1];
    Millis changed_ms[DOCTOR_ALERT_FINDINGS];
} DoctorAlert;

/* Called once, before the first examination. A receiver that is not in the list is forgotten: if it is configured again
 * later, it gets everything anew. */
void doctor_set_receivers(struct doctor *doctor, const DoctorReceiver *receivers, size_t count);
/* Appends a message with the findings of the last periodic examination that are new or came back and that the receiver
 * does not know yet, worst first; nothing if ret->count is 0. It has only numbers, words of the table, names of
 * sources, and names of events that are plain words and have five people or more. */
void doctor_write_alert(struct doctor *doctor, const DoctorReceiver *receiver, DoctorAlert *ret, struct buf *out);
/* The message arrived: the receiver never gets these changes again. Writes the file before it returns. */
Status MUST doctor_note_alert(struct doctor *doctor, uint64_t key, const DoctorAlert *alert, Err *err);

/* ---- Against the truth ---- */

/* A row of the operator's own table of accounts. */
typedef struct DoctorAccount {
    Str id;                                 /* the user id that it should have */
    Str email;                              /* may be empty */
    Millis created_ms;                      /* INT64_MIN: not known; then the account is never called late */
} DoctorAccount;
enum { DOCTOR_ACCOUNTS = 5000 };            /* in one question */

/* Which of these accounts never arrived, are late, came without a history, or signed up twice, each with its likely
 * cause: {"accounts","fine","problems":[{"id","state","cause","code","text",...}],"joined":[{"id","person_id"}],...}
 * (docs/doctor.md). The window begins 15 hours before the first account (the table may be in another time zone), or a
 * day ago if that is earlier. It ends eight days after the last account, or now if imports count, too.
 * question->since_ms has no effect. It costs as much as doctor_examine. */
Status MUST doctor_judge_accounts(const DoctorQuestion *question, const DoctorAccount *accounts, size_t count,
                                  struct buf *out, Err *err);

#endif

/* doctor_summary: how many findings the server's own examination had, and when it was, for /metrics and status; and how
 * many examinations run now, so that the server's own waits for those that people asked for. */
#include "doctor_private.h"

void doctor_summary_init(struct doctor_summary *summary) { check(pthread_mutex_init(&summary->lock, NULL) == 0); }

void doctor_summary_done(struct doctor_summary *summary) { pthread_mutex_destroy(&summary->lock); }

void doctor_summary_run(struct doctor_summary *summary, int by)
{
    pthread_mutex_lock(&summary->lock);
    summary->running += (uint32_t)by;
    pthread_mutex_unlock(&summary->lock);
}

void doctor_summary_put(struct doctor_summary *summary, const DoctorSummary *now, uint32_t (*counts)[DOCTOR_SEVERITIES])
{
    pthread_mutex_lock(&summary->lock);
    summary->of = *now;
    if (counts) memcpy(summary->counts, counts, sizeof summary->counts);
    pthread_mutex_unlock(&summary->lock);
}

DoctorSummary doctor_read_summary(struct doctor *doctor)
{
    struct doctor_summary *summary = doctor_summary_of(doctor);
    pthread_mutex_lock(&summary->lock);
    DoctorSummary now = summary->of;
    pthread_mutex_unlock(&summary->lock);
    return now;
}

bool doctor_is_busy(struct doctor *doctor)
{
    struct doctor_summary *summary = doctor_summary_of(doctor);
    pthread_mutex_lock(&summary->lock);
    bool is_busy = summary->running > 0;
    pthread_mutex_unlock(&summary->lock);
    return is_busy;
}

void doctor_visit_counts(struct doctor *doctor, void (*visit)(void *context, const char *code, const char *severity,
                                                              uint32_t count), void *context)
{
    struct doctor_summary *summary = doctor_summary_of(doctor);
    uint32_t counts[DOCTOR_CODE_COUNT][DOCTOR_SEVERITIES];
    pthread_mutex_lock(&summary->lock);
    memcpy(counts, summary->counts, sizeof counts);
    pthread_mutex_unlock(&summary->lock);
    for (DoctorCode code = 0; code < DOCTOR_CODE_COUNT; code++) {
        const DoctorFinding *finding = &doctor_findings[code];
        if (finding->by == DOCTOR_LATER) continue;
        visit(context, finding->code, doctor_severities[finding->least], counts[code][finding->least]);
        if (finding->error_ppm && finding->least != DOCTOR_ERROR)
            visit(context, finding->code, doctor_severities[DOCTOR_ERROR], counts[code][DOCTOR_ERROR]);
    }
}

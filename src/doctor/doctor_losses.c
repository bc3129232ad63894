/* doctor_losses: turns what the loss meter (losses/) counts into findings: set-ups (source, browser, version of the
 * library) that lose calls, and the pages on which they do.
 *
 * The cases are visits with a gap, out of all visits. The calls of one visit are lost together, so single calls are no
 * cases. A closed laptop sends later, so a visit counts only once it has been quiet for a while: six hours for a week's
 * window. The numbers come from browsers, and anybody with the public key can send them. So only some set-ups
 * are told apart, those with most missing calls, and a page is shown without parts that may be ids. */
#include "doctor_private.h"

#include "losses/losses.h"

#include <stdlib.h>

enum { SETUPS_MAX = 64, PAGES_MAX = 1000, QUIET_PART = 28, TEXT_BYTES = 160 };
enum { VERSIONS_MAX = 3 };          /* of the library, for one browser of a source; all others are one set-up */

struct setup {
    uint32_t source, browser;
    uint32_t name, version;          /* name: "Safari 17, library 1.0.0" */
    uint64_t visits, broken, calls, missing;
    Millis first_ms, last_ms;
};

struct lost_page { uint32_t setup, page; uint64_t broken; };

struct lost_calls {
    struct exam *exam;
    struct setup setups[SETUPS_MAX];
    struct lost_page pages[PAGES_MAX];
    uint32_t setup_count, page_count;
};

static struct setup *find_setup(struct lost_calls *lost, const LossesGroup *group)
{
    struct doctor_names *names = &lost->exam->names;
    uint32_t source = doctor_name(names, group->source), browser = doctor_name(names, group->browser);
    uint32_t version = doctor_name(names, group->library), versions = 0;
    struct setup *others = NULL;
    for (uint32_t at = 0; at < lost->setup_count; at++) {
        struct setup *setup = &lost->setups[at];
        if (setup->source != source || setup->browser != browser) continue;
        if (setup->version == version) return setup;
        if (setup->version) versions++;
        else others = setup;
    }
    if (versions == VERSIONS_MAX && others) return others;
    if (versions == VERSIONS_MAX) version = 0;
    char room[TEXT_BYTES];
    struct buf text;
    buf_init_fixed(&text, room, sizeof room);
    buf_printf(&text, "%.*s, library %.*s", STR_FORMAT(group->browser),
               STR_FORMAT(version ? group->library : STR("(others)")));
    uint32_t name = doctor_name(names, buf_str(&text));
    if (!source || !name || lost->setup_count == SETUPS_MAX) return NULL;
    struct setup *setup = &lost->setups[lost->setup_count++];
    *setup = (struct setup){ .source = source, .browser = browser, .name = name, .version = version,
                             .first_ms = INT64_MAX, .last_ms = INT64_MIN };
    return setup;
}

/* Without their ids, several pages may become one. */
static void add_page(struct lost_calls *lost, uint32_t setup, const LossesGroup *group)
{
    uint32_t page = doctor_name_page(lost->exam, (Str){ 0 }, group->page), at = 0;
    if (!group->broken || !page) return;
    while (at < lost->page_count && (lost->pages[at].setup != setup || lost->pages[at].page != page)) at++;
    if (at == PAGES_MAX) return;
    if (at == lost->page_count) lost->pages[lost->page_count++] = (struct lost_page){ setup, page, 0 };
    lost->pages[at].broken += group->broken;
}

static void add_group(void *context, const LossesGroup *group)
{
    struct lost_calls *lost = context;
    struct setup *setup = find_setup(lost, group);
    if (!setup) return;                     /* there is no room: these visits count for no set-up */
    setup->visits += group->visits, setup->broken += group->broken;
    setup->calls += group->calls, setup->missing += group->missing;
    if (group->first_ms < setup->first_ms) setup->first_ms = group->first_ms;
    if (group->last_ms > setup->last_ms) setup->last_ms = group->last_ms;
    add_page(lost, (uint32_t)(setup - lost->setups), group);
}

static void tell_setup(struct lost_calls *lost, uint32_t at)
{
    struct exam *exam = lost->exam;
    const struct setup *setup = &lost->setups[at];
    char room[TEXT_BYTES];
    struct buf value;
    buf_init_fixed(&value, room, sizeof room);
    buf_printf(&value, "%" PRIu64 " of %" PRIu64 " calls", setup->missing, setup->calls);
    struct tally *tally = tally_add(exam, &(DoctorSum){
        .code = DOCTOR_LO_6, .source = exam->names.texts[setup->source], .field = exam->names.texts[setup->name],
        .value = buf_str(&value), .version = setup->version ? exam->names.texts[setup->version] : (Str){ 0 },
        .count = setup->broken, .of = setup->visits, .first_ms = setup->first_ms, .last_ms = setup->last_ms,
    });
    for (uint32_t page = 0; tally && page < lost->page_count; page++)
        if (lost->pages[page].setup == at) tally_place(exam, tally, lost->pages[page].page, lost->pages[page].broken);
}

Status doctor_pass_losses(struct exam *exam, Err *err)
{
    const DoctorQuestion *question = exam->question;
    Millis quiet_ms = question->since_ms / QUIET_PART;
    if (!question->applier || !exam->has_visits) return OK;
    if (quiet_ms > 6 * HOUR_MS) quiet_ms = 6 * HOUR_MS;
    LossesRange range = { exam->from_ms, exam->now_ms - quiet_ms };
    struct lost_calls *lost = calloc(1, sizeof *lost);
    if (!lost) return err_set(err, ERR_TOO_LARGE, "the doctor: no memory for lost calls");
    lost->exam = exam;
    Status s = losses_list(question->journal, &range, question->world->is_cancelled, add_group, lost, err);
    for (uint32_t at = 0; !s && at < lost->setup_count; at++) tell_setup(lost, at);
    free(lost);
    return s;
}

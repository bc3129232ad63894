/* small_files: what Onym keeps in small files of the data directory, written whole: mutes of findings, sessions, saved
 * questions. What was acknowledged is there after any power cut; of what was not, all or nothing. */
#ifndef ONYM_TESTS_SIM_SMALL_FILES_H
#define ONYM_TESTS_SIM_SMALL_FILES_H

#include "access/access.h"
#include "desk/desk.h"
#include "doctor/doctor.h"

enum { SMALL_ITEMS_MAX = 24, SMALL_NAME_BYTES = ACCESS_TOKEN_CHARS + 1, SMALL_FILES = 3 };

/* One thing that is in a file, or is not: what the last acknowledgement said of it, and what was tried since. */
struct small_item {
    char name[SMALL_NAME_BYTES];
    bool is_there;
    bool is_in_doubt;                   /* a change of it was tried, and nobody said that it is done */
    Millis at_ms;                       /* since when it is so; by the clock that is never set */
};

struct small_files {
    struct doctor *doctor;              /* NULL while Onym is down */
    struct access *access;
    struct desk *desk;
    struct small_item items[SMALL_FILES][SMALL_ITEMS_MAX];
    size_t counts[SMALL_FILES];
};

struct world;
/* After the disk has come back: asks each file what it has. */
void small_files_open(struct world *world);
void small_files_close(struct world *world);
/* One change of one file, drawn by the dice; now and then the power goes in its midst, and then the disk is dead. */
void small_files_act(struct world *world);

#endif

/* index_leaves: the scalar leaves of a message's JSON, which become the index's columns.
 *
 * Visits, in the order of the text, every string, number and boolean under the top-level objects
 * "properties" and "context", with its dotted path ("context.campaign.source"). An array of scalars is visited as
 * LEAF_LIST, any other array as LEAF_OTHER; null and empty objects count as absent.
 *
 * It goes over the message's outline (event/), which is safe on any bytes; depth, path length and leaf count are
 * bounded.
 */
#ifndef ONYM_INDEX_LEAVES_H
#define ONYM_INDEX_LEAVES_H

#include "event/event.h"

enum {
    LEAF_DEPTH_MAX = 16,            /* objects within objects; deeper ones are left out */
    LEAF_PATH_BYTES = 256,          /* longer paths are left out */
    LEAF_TEXT_BYTES = LIMIT_INDEXED_TEXT_BYTES + 4,     /* room for one; longer strings are LEAF_OTHER */
    LEAF_COUNT_MAX = 512,           /* in one message; further leaves are left out */
};

/* Fields that always have a column: those for which questions have a word of their own (source, category,
 * groupId, library), and those that give a page its name. */
static const char *const LEAVES_KEPT[] = {
    "source", "category", "groupId", "context.library.name", "context.page.path", "properties.path",
};

typedef enum LeafKind { LEAF_STRING, LEAF_NUMBER, LEAF_BIG, LEAF_LIST, LEAF_BOOL, LEAF_OTHER } LeafKind;

typedef struct Leaf {
    LeafKind kind;
    Str path;                       /* valid during the visit */
    /* LEAF_STRING, unescaped; LEAF_BIG, an integer that no double is; LEAF_LIST, its JSON; valid during the visit */
    Str text;
    double number;                  /* LEAF_NUMBER; LEAF_BOOL as 0 or 1 */
} Leaf;

typedef void LeafVisit(void *context, const Leaf *leaf);

/* Returns how many leaves were left out because of a bound. */
uint32_t leaves_walk(const struct event_outline *outline, LeafVisit *visit, void *context);

#endif

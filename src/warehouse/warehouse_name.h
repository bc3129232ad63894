/* warehouse_name: the names of events and properties as tables and columns. Pure functions; their results are ASCII.
 *
 * segment      words are [A-Z0-9]*[a-z0-9]*, in lower case, joined by one underscore; anything else separates words. It
 *              gives what Segment's own function gives (go-snakecase; its 32 samples are in the tests): "samPLE text"
 *              is sam_ple_text, "2FA Enabled" 2fa_enabled, "CStringRef" cstring_ref.
 * rudderstack  words as Lodash separates them, of ASCII letters and digits; underscores at the front stay,
 *              one is put before a digit at the front and before PostgreSQL's reserved words.
 * A text without any ASCII letter or digit has no name: empty. */
#ifndef ONYM_WAREHOUSE_NAME_H
#define ONYM_WAREHOUSE_NAME_H

#include "base/base.h"

typedef enum WarehouseNaming { WAREHOUSE_NAMING_SEGMENT, WAREHOUSE_NAMING_RUDDERSTACK } WarehouseNaming;

/* How names of views end, and no name of a table does. */
#define WAREHOUSE_RESOLVED "_resolved"

enum {
    WAREHOUSE_NAME_BYTES = 63,               /* PostgreSQL's NAMEDATALEN - 1 */
    WAREHOUSE_NAME_KEPT = 54,                /* of a longer one, before "_" and the checksum */
};

/* The whole name, however long. It lives in the arena. */
Str warehouse_name_words(WarehouseNaming naming, Str text, Arena *arena);
/* A name of at most 63 bytes. A longer one is cut to 54, and "_" and the CRC32C of all of it in 8 hexadecimal digits
 * follow: PostgreSQL would cut it in silence, and make one column of two. */
Str warehouse_name_fit(Str name, Arena *arena);
/* Both. */
Str warehouse_name(WarehouseNaming naming, Str text, Arena *arena);

/* The view on a table: the table's name and "_resolved", the name cut as above where both are too long. */
Str warehouse_name_view(Str table, Arena *arena);

#endif

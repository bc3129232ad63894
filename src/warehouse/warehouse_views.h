/* warehouse_views: a view on each table of events, NAME_resolved: its rows, and whose they are now in front.
 *
 * A view shows the columns that its table has when it is made: it is made again where the table has got another one.
 * While a column is widened the view must not be there (alter() of warehouse_columns.c). It is dropped and made again
 * in the same transaction, and users keep the rights that they had on it. If a view cannot be made (something else has
 * its name, or somebody reads from it for minutes), loading goes on: the view stays as it is, and is tried again. */
#ifndef ONYM_WAREHOUSE_VIEWS_H
#define ONYM_WAREHOUSE_VIEWS_H

#include "warehouse_load.h"

/* Reads which views there are, into the catalogue. */
Status MUST warehouse_views_read(struct load *load, Err *err);
/* Puts back those that this transaction dropped, with their grants, whatever becomes of people. After the rows. */
Status MUST warehouse_views_put_back(struct load *load, Err *err);
/* Makes those that are missing or show too little. After the rows, before the commit. */
Status MUST warehouse_views_make(struct load *load, Err *err);

#endif

/* tools_output: where an export goes: standard output, or a file that appears under its name only when it is
 * whole and on the disk; gzip where the name ends in .gz. */
#ifndef ONYM_TOOLS_OUTPUT_H
#define ONYM_TOOLS_OUTPUT_H

#include "os/os.h"

struct output;
/* path NULL or "-": standard output. */
Status MUST output_open(const char *path, struct disk *disk, struct output **ret, Err *err);
Status MUST output_put(struct output *output, Str bytes, Err *err);
/* Flushes, syncs and gives the file its name. Afterwards only output_close. */
Status MUST output_finish(struct output *output, Err *err);
/* Accepts NULL. Removes what was not finished. */
void output_close(struct output *output);

#endif

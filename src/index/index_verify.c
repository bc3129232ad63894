/* index_verify: checks every section and block of every file, in the way in which readers read them. */
#include "index.h"

#include <stdlib.h>

enum { VALUES_BYTES = 512 * 1024 * 1024 };

static Status verify_codes(const IndexRun *run, uint32_t column, uint32_t code_count, unsigned char *bytes, Err *err)
{
    IndexCodes codes;
    Status s = OK;
    index_codes_init(&codes, run, column, code_count, bytes, NULL);
    for (uint32_t row = 0; !s && row < run->row_count; row += INDEX_BLOCK_ROWS) s = index_codes_load(&codes, row, err);
    return s;
}

static Status verify_run(const IndexRun *run, Arena arena, unsigned char *bytes, Err *err)
{
    Status s = verify_codes(run, INDEX_POSITIONS, 0, bytes, err);
    for (uint32_t column = 0; !s && column < run->column_count; column++) {
        Arena scratch = arena;
        IndexValues values;
        s = index_values_read(run, column, &scratch, &values, err);
        if (!s) s = verify_codes(run, column, values.code_count, bytes, err);
    }
    return s;
}

Status index_verify(struct index *index, uint64_t *ret_files, Err *err)
{
    struct index_snapshot *snapshot;
    struct region region;
    Status s = index_snapshot_open(index, &snapshot, err);
    *ret_files = 0;
    if (s) return s;
    unsigned char *bytes = malloc(INDEX_CODES_BYTES);
    check(bytes);
    region_open(&region, VALUES_BYTES);
    for (uint32_t at = 0; !s && at < index_snapshot_run_count(snapshot); at++, ++*ret_files)
        s = verify_run(index_snapshot_run(snapshot, at), region_arena(&region), bytes, err);
    if (!s) s = index_snapshot_check(snapshot, err);
    region_close(&region);
    free(bytes);
    index_snapshot_close(snapshot);
    return s;
}

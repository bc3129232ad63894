/* index_format: the bytes of a run. Little-endian; offsets count from the start of the file.
 *
 * A run holds the events of one part of the journal, sorted by (subject, time), in columns. The same
 * bytes are in a file or, for the newest events, in memory. A run never changes; runs of neighbouring
 * parts are merged into a new one.
 *
 *      0  head, 128 bytes: struct run_head below. Written last.
 *    128  sections, each at a multiple of 64, each followed by at least 8 readable bytes
 *      …  directory: section_count times struct run_section
 *
 * Sections, in the order in which they are written:
 *   STARTS     one bit a row, in 64-bit words: this row is the first of its subject
 *   RANKS      for every 512 rows, a u32: how many subjects start before them
 *   SUBJECTS   u32 each, ascending, no two the same: the k-th bit of STARTS belongs to the k-th subject
 *   TIMES      packed: milliseconds since base; ascending within a subject
 *   EVENTS     packed: codes into the values of EVENT_COLUMN (what the event is: type and name)
 *   POSITIONS  blocks of packed: journal position of the raw event, less base. If there are KNOTS: how far it is
 *              from the line (index_curve.h) at the row's time, d as 2d or -2d-1; the 8 bytes of the integers of a
 *              block lie in 8 planes, one after the other, because most planes are all zeros then
 *   KNOTS      in files: column (how many) u64 positions, for base, base + 2^width ms, and so on: a line over time
 *   NAMES      of the columns, ascending: u16 length, bytes, each
 *   CODES      one a column: blocks of packed codes into the column's values
 *   VALUES     one a column, and one for EVENT_COLUMN: the dictionary
 *
 * Packed: row_count integers of width bytes each (1 to 8), unaligned, read by one 8-byte load and a mask.
 *
 * Blocks: the packed integers of RUN_BLOCK_ROWS rows at a time, compressed one by one, back to back; then
 * at table_offset a table of struct run_block, one for each block. A block of no bytes is all zeros; a block as long
 * as its integers is not compressed; any other is a zstd frame. Each block has its own CRC32C, so that
 * reading one row touches one block.
 *
 * Values: u32 number_count, u32 string_count, number_count doubles ascending, string_count u32 ends of
 * strings, then their bytes ascending. Compressed as one zstd frame where width is 1. Codes:
 *   0 absent · 1 there but not indexed (array, too long, or too many different values) · 2 false · 3 true
 *   · then the numbers · then the strings. So one column can hold values of every type, and a range of
 *   values is a range of codes. A string that begins with a zero byte is another value: "\0[" and so on is the JSON of
 *   a list of scalars, "\0#" and digits an integer that is not exact as a double.
 * In EVENT_COLUMN every value is a string: the event's type as a digit, then its name. There codes 0 to 7
 * have another meaning: an event of that type whose name is not indexed; strings start at 8.
 *
 * Checksums: CRC32C of the head, the directory and each section (of a section of blocks: of its table).
 * Head and directory are checked when a run is opened; a section when it is first used.
 */
#ifndef ONYM_INDEX_FORMAT_H
#define ONYM_INDEX_FORMAT_H

#include "base/base.h"

enum {
    RUN_HEAD_BYTES = 128,
    RUN_ALIGN = 64,
    RUN_SLACK_BYTES = 8,
    RUN_BLOCK_ROWS = 32768,
    RUN_RANK_ROWS = 512,
    RUN_COLUMNS_MAX = 1024,
    RUN_VALUES_MAX = 1 << 20,               /* different values of a column in one run */
    RUN_VALUE_BYTES_MAX = 16 << 20,         /* and their bytes; over either the rarest are not indexed */
    RUN_ROWS_MAX = 1 << 28,
    RUN_HAS_LISTS = 1,                      /* lists and large integers are values, and there is a "groupId" */
    INDEX_BIG_DIGITS = 38,                  /* of an integer that is not exact as a double; longer: not indexed */
};

/* Version 1 had no KNOTS; this version reads it, too. */
static const char RUN_MAGIC[8] = { 'o', 'n', 'y', 'm', 'r', 'u', 'n', '2' };

struct run_head {
    char magic[8];
    /* the journal's stretch: from the first record to after the last */
    uint64_t from_pos, to_pos;
    int64_t time_min_ms, time_max_ms;
    uint32_t row_count, subject_count;
    uint32_t column_count, section_count;
    uint64_t directory_offset;
    uint64_t unindexed_count;               /* leaves that were left out: too deep, too many columns */
    uint32_t directory_crc;
    uint32_t features;                      /* RUN_HAS_…: what whoever wrote the rows knew of; merged: what all did */
    uint32_t reserved[11];
    uint32_t head_crc;                      /* of the 124 bytes before it */
};

typedef enum RunSectionKind {
    SECTION_STARTS = 1, SECTION_RANKS, SECTION_SUBJECTS, SECTION_TIMES, SECTION_EVENTS, SECTION_POSITIONS,
    SECTION_NAMES, SECTION_CODES, SECTION_VALUES, SECTION_KNOTS,
} RunSectionKind;

#define EVENT_COLUMN UINT32_MAX

struct run_section {
    uint32_t kind;                          /* RunSectionKind */
    uint32_t column;                        /* of CODES and VALUES */
    uint64_t offset, bytes;
    uint64_t table_offset;                  /* of blocks: where in the section the table is */
    int64_t base;
        /* TIMES, POSITIONS: added to each; CODES: how many rows are code 1 */
    /* VALUES: when decompressed; CODES: how many rows are not absent */
    uint64_t raw_bytes;
    uint32_t width;                         /* packed: bytes of an integer; VALUES: 1 where compressed */
    uint32_t crc;
};

struct run_block {
    uint32_t end;                           /* after this block, counted from the section's start */
    uint32_t crc;
};

_Static_assert(sizeof(struct run_head) == RUN_HEAD_BYTES, "the head is as the format says");
_Static_assert(sizeof(struct run_section) == 56, "no padding in the directory");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "runs are mapped, not decoded");

#endif

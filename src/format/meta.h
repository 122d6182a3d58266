/*
 * meta.h - the meta page: the top of everything that a store file holds, written twice.
 *
 *      0          8       12       16      20       24        40      48          56
 *      +----------+-------+--------+-------+--------+---------+-------+-----------+---------+
 *      | "VersoKV"| format| must   | may   | page   | uuid    | epoch | generation| version |
 *      |          |       | feat.  | feat. | size   |         |       |           |         |
 *      +----------+-------+--------+-------+--------+---------+-------+-----------+---------+
 *      64         114     116      132            144         152        156      160
 *      +----------+-------+--------+--------------+-----------+----------+--------+---------+
 *      | root     | clean | history| (0)          | log lsn   | log prev | high-  | tags    |
 *      | record   |       | tree   |              |           | crc      | water  | tree    |
 *      +----------+-------+--------+--------------+-----------+----------+--------+---------+
 *      176        184       192                   256                      2304
 *      +----------+---------+---------------------+------------------------+----------------+
 *      | held     | budget  | (0)                 | 256 top entries        | size of policy |
 *      | pages    | pages   |                     |                        | (4 bytes)      |
 *      +----------+---------+---------------------+------------------------+----------------+
 *      2308                                                                4092
 *      +-------------------------------------------------------------------+----------------+
 *      | policy (format/retention.h), zeros                                | crc32c         |
 *      +-------------------------------------------------------------------+----------------+
 *
 * The log goes on at {epoch, log lsn, log prev crc}. A directory entry, at every level, is
 * { u32 crc of the 4 KiB part, u32 generation << 1 | copy }; zero: never written.
 */
#ifndef VERSO_FORMAT_META_H
#define VERSO_FORMAT_META_H

#include <stdbool.h>
#include <stdint.h>

#include "format/layout.h"
#include "format/root_record.h"

enum { VS_FORMAT_VERSION = 2 };

/** Versions and generations are counted from 1 and end here, refused by name before. */
#define VS_NUMBER_MAX (UINT64_MAX / 2)

struct vs_meta {
    uint32_t page_size;
    uint8_t uuid[16];
    uint64_t epoch;             /* incarnation: raised at each recovery */
    uint64_t generation;        /* number of checkpoints */
    struct vs_root_record root; /* its version; no note */
    struct vs_tree_root history;
    bool clean; /* closed cleanly: no log is needed */
    uint64_t log_lsn;
    uint32_t log_previous_crc;
    uint64_t high_water;       /* first page never used */
    struct vs_tree_root tags;  /* and the retained set; see docs/format.md */
    verso_retention retention; /* the policy */
    uint64_t held_pages;       /* an upper bound of the pages that history holds */
    uint64_t budget_pages;     /* what it may hold, as last counted; 0: not counted */
    uint64_t top[VS_TOPS_MAX];
};

/** Write all 4,096 bytes. */
void vs_meta_encode(const struct vs_meta *meta, uint8_t *bytes);

/** Outcome of decoding. */
enum vs_meta_state {
    VS_META_OK,
    VS_META_FOREIGN, /* no Verso meta at all */
    VS_META_FORMAT,  /* Verso, but of a format or with features that this code does not know */
    VS_META_DAMAGED, /* Verso, but the checksum or a field is wrong */
};

enum vs_meta_state vs_meta_decode(const uint8_t *bytes, struct vs_meta *meta);

/** Does the checksum stand where this format has it, and is it right? */
bool vs_meta_is_whole(const uint8_t *bytes);

/** Directory entries. */
static inline uint64_t vs_entry(uint32_t crc, uint64_t generation, unsigned copy)
{
    return (uint64_t)((uint32_t)generation << 1 | copy) << 32 | crc;
}

static inline uint32_t vs_entry_crc(uint64_t entry)
{
    return (uint32_t)entry;
}

static inline unsigned vs_entry_copy(uint64_t entry)
{
    return (unsigned)(entry >> 32) & 1;
}

#endif

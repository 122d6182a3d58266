/*
 * versions.h - a store with 10,000 small commits behind it, for the workloads about old roots.
 *
 * It is loaded in random order, then 10,000 commits of one put each overwrite keys. Every hundredth
 * of them overwrites the same key, the watched one; all others a key of their own. All roots are
 * kept, and every hundredth has a tag, "tag-00" to "tag-99", the oldest first.
 */
#ifndef VERSO_BENCH_VERSIONS_H
#define VERSO_BENCH_VERSIONS_H

#include "direct.h"

enum { VERSIONS_BACK = 10000, VERSIONS_WATCHED = 100, VERSIONS_TAGS = 100 };

struct versions {
    struct path directory;
    verso_root_id old; /* the root before the small commits, VERSIONS_BACK before the newest */
    verso_root_id newest;
};

/** The store, closed; made when it is first asked for, and kept to the end. Workloads that commit
 *  to it work on a copy. */
struct versions versions_store(struct bench *bench);

/** The key that every hundredth commit overwrote. */
verso_slice versions_watched(const struct bench *bench);

/** The name of a tag: of the root `VERSIONS_WATCHED * (i + 1)` after `old`. */
struct tag_name {
    char text[16];
};
struct tag_name versions_tag(unsigned i);

#endif

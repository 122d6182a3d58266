/*
 * expected_keeping.h - which roots a store must keep, may keep and must have dropped: the promises of
 * verso.h about policies and tags, root by root.
 *
 * What exactly goes, and when, is the store's affair within bounds: a walk comes by in its own time,
 * a budget is met by counting pages. So what the store has kept is looked at after each step
 * (expected_kept.h), and the rule says of each root whether it may have gone by then. Time stands
 * still within a step but for the ticks of the simulated clock.
 */
#ifndef VERSO_TESTS_EXPECTED_KEEPING_H
#define VERSO_TESTS_EXPECTED_KEEPING_H

#include <stdbool.h>
#include <stdint.h>

#include "verso.h"

enum {
    EXPECTED_TAGS_MAX = 8,
    EXPECTED_OPEN_MAX = 16,
    EXPECTED_TICKS_US = 20000, /* that one step may take at most: the clock ticks at each look */
};

#define EXPECTED_TIME_UNKNOWN INT64_MIN

struct expected_tag {
    char name[VERSO_NAME_MAX + 1];
    uint64_t root;
    int64_t time_us; /* unknown: its setting has not returned */
};

/** What is set and not committed. */
struct expected_settings {
    verso_retention policy;
    struct expected_tag tag[EXPECTED_TAGS_MAX]; /* by name */
    unsigned tag_count;
};

enum expected_certainty { EXPECTED_NO, EXPECTED_MAYBE, EXPECTED_YES };

/** What the rule says of a root: whether it is still there after the policy was applied. */
enum expected_verdict { EXPECTED_STAYS, EXPECTED_EITHER, EXPECTED_GOES };

/** What is known of one root. */
struct expected_mark {
    int64_t time_us;
    enum expected_certainty checkpoint; /* is it one's root? */
    bool may_go;        /* it could have been dropped while nobody could see it: not published */
    uint64_t gone;      /* the number of its drop; 0: it was not seen to be gone */
    uint64_t gone_with; /* where this version survives a crash, the drop does, too */
    bool unlogged;      /* its drop is in no log: a crash before the next checkpoint undoes it */
};

struct expected_keeping {
    struct expected_mark *mark; /* [0, newest] */
    uint64_t capacity;
    uint64_t newest;
    uint64_t observed;               /* roots before this one were seen, kept or gone */
    struct expected_settings now;    /* a call that sets something may be under way */
    struct expected_settings before; /* what held before that call */
    uint64_t open[EXPECTED_OPEN_MAX];
    unsigned open_count;
    uint64_t drops;    /* seen so far */
    uint64_t promised; /* of them: no crash undoes those up to this one */
    int64_t clock_us;
    uint64_t checkpoints; /* that the open handle has made, as last seen */
    bool bypassed;        /* the last commit was one by a checkpoint: what it drops is in no log */
};

void expected_keeping_init(struct expected_keeping *keeping, const verso_retention *policy);
void expected_keeping_clear(struct expected_keeping *keeping);
struct expected_keeping expected_keeping_copy(const struct expected_keeping *keeping);

/** Another root is being committed; its time comes with its return. */
void expected_keeping_commit(struct expected_keeping *keeping);

/** Versions after this one did not survive a crash. */
void expected_keeping_forget_after(struct expected_keeping *keeping, uint64_t version);

/** A view was opened, or closed, and is held across steps. */
void expected_keeping_open(struct expected_keeping *keeping, uint64_t version);
void expected_keeping_close(struct expected_keeping *keeping, uint64_t version);

/** A tag by its name, or NULL. */
const struct expected_tag *expected_tag_find(const struct expected_settings *settings,
                                             verso_slice name);

/** Set (root > 0) or delete a tag. */
void expected_tag_set(struct expected_settings *settings, verso_slice name, uint64_t root,
                      int64_t time_us);

/** The call that set something has returned. */
void expected_keeping_settled(struct expected_keeping *keeping);

/** All drops seen so far are durable. */
void expected_keeping_promise(struct expected_keeping *keeping);

/** What the rule says of every root by this policy, at this moment: verdicts[0 .. newest]. Those
 *  seen to be gone are EXPECTED_GOES. */
void expected_keeping_judge(const struct expected_keeping *keeping, const verso_retention *policy,
                            enum expected_verdict *verdicts);

/** Roots may be gone already by this policy, though another holds by now. */
void expected_keeping_allow(struct expected_keeping *keeping, const verso_retention *policy);

/** May this root be gone by now? */
bool expected_may_be_gone(const struct expected_keeping *keeping, uint64_t version);

/** The oldest root from which on all must be there. */
uint64_t expected_oldest(const struct expected_keeping *keeping);

#endif

/*
 * kill_witness.h - what must be found after a process was killed, from what it told before.
 */
#ifndef VERSO_TESTS_KILL_WITNESS_H
#define VERSO_TESTS_KILL_WITNESS_H

#include "kill_story.h"

/** A tag as last reported. */
struct kill_tag {
    uint64_t root;  /* 0: none */
    uint64_t tried; /* what a call that did not return may have made of it */
    bool is_tried;
};

struct kill_witness {
    uint64_t *fingerprint; /* [1, issued] */
    uint64_t capacity;
    uint64_t issued;     /* newest root that may be there */
    uint64_t survives;   /* newest that must be */
    uint64_t returned;   /* commits that returned, in all */
    uint64_t kept_from;  /* roots below may be gone */
    uint64_t keep_last;  /* the policy as last reported */
    uint64_t keep_tried; /* or as being set; 0: none */
    struct kill_tag tag[KILL_TAGS];
};

/** Nothing has happened yet: no store. */
void kill_witness_init(struct kill_witness *witness);
void kill_witness_clear(struct kill_witness *witness);

/** Hear a record. @return NULL, or why it cannot be true. */
const char *kill_witness_hear(struct kill_witness *witness, const struct kill_record *record);

/**
 * Hold a store, opened after the kill, against what was heard; what is found is the truth from now
 * on: a second process that is killed must not lose it.
 * @return NULL, or what is wrong.
 */
const char *kill_witness_judge(struct kill_witness *witness, verso_store *store);

#endif

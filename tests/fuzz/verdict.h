/*
 * verdict.h - what a hostile store may answer, and an end for the process that meets anything else.
 */
#ifndef VERSO_TESTS_FUZZ_VERDICT_H
#define VERSO_TESTS_FUZZ_VERDICT_H

#include <stdbool.h>

#include "verso.h"

/** Abort with the text and the last error's detail unless `holds`. */
void verdict_require(bool holds, const char *what);

/** Does the code say that bytes on disk are damaged? */
bool verdict_is_damage(verso_err err);

/**
 * The answer to a read of a store that the check has called sound, or has not.
 *
 * @return Whether it is VERSO_OK. VERSO_NOT_FOUND is an answer like another; damage is only where
 *         the store is not sound; any other code is a fault of the engine.
 */
bool verdict_read(verso_err err, bool sound, const char *what);

/** The answer to a change: a full disk, a limit and what follows from damage are allowed too. */
bool verdict_change(verso_err err, bool sound, const char *what);

#endif

/*
 * store_writing.h - change an open store in every way: what a hostile file must not turn into more
 * than an error.
 */
#ifndef VERSO_TESTS_FUZZ_STORE_WRITING_H
#define VERSO_TESTS_FUZZ_STORE_WRITING_H

#include <stdbool.h>

#include "verso.h"

/** Some transactions, checkpoints, dropped roots. @return Whether all of it succeeded. */
bool store_write_all(verso_store *store, bool sound);

/** One transaction of more pages than the least arena has. @return Whether it succeeded. */
bool store_write_much(verso_store *store, bool sound);

#endif

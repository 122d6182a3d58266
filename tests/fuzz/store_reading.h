/*
 * store_reading.h - read all that an open store offers, and hold the answers against each other.
 *
 * A store whose check found nothing must answer every read, and all ways to read must agree. One
 * that is damaged may say so anywhere, but what it answers is still in order.
 */
#ifndef VERSO_TESTS_FUZZ_STORE_READING_H
#define VERSO_TESTS_FUZZ_STORE_READING_H

#include <stdbool.h>

#include "verso.h"

/** verso_check(). @return Whether the store is sound; any code but VERSO_CORRUPT is a fault. */
bool store_is_sound(verso_store *store);

/** Read a view's tree in every way. */
void store_read_view(verso_view *view, bool sound);

/** Read roots, their trees, differences, histories, tags, figures. */
void store_read_all(verso_store *store, bool sound);

#endif

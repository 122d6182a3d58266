/*
 * failing_calls_inner.h - what the files that stand in for the engine's functions share.
 */
#ifndef VERSO_TESTS_FAILING_CALLS_INNER_H
#define VERSO_TESTS_FAILING_CALLS_INNER_H

#include "failing_calls.h"
#include "store/pages.h"

/** A call is made from `site`. @return `err` if it is to fail, else VERSO_OK. */
verso_err failing_calls_meet(const char *call, verso_err err, const void *site);

/** A page was verified, if `err` is VERSO_OK: forget that where every page is to be cold.
 *  @return `err`. */
verso_err failing_calls_forget(struct vs_pages *pages, vs_page_no page, verso_err err);

#endif

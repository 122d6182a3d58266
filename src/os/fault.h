/*
 * fault.h - the text behind verso_error_detail(): what was wrong and where, one per thread.
 *
 * Set where a fault is found, once; callers above pass the code on unchanged.
 */
#ifndef VERSO_OS_FAULT_H
#define VERSO_OS_FAULT_H

#include "verso.h"

/** Record a printf-style detail (at most 511 bytes) for this thread and return `err`. */
verso_err vs_fault(verso_err err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The same with a static text, for outcomes too frequent to be formatted. */
verso_err vs_fault_text(verso_err err, const char *text);

/** The detail of this thread's last fault; never NULL. */
const char *vs_fault_detail(void);

#endif

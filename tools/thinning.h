/*
 * thinning.h - the classes of a retention policy as text: AGE/SPACING[,AGE/SPACING...].
 */
#ifndef VERSO_TOOLS_THINNING_H
#define VERSO_TOOLS_THINNING_H

#include <stdbool.h>
#include <stdio.h>

#include "verso.h"
#include "word.h"

/**
 * Add the classes of a text to a policy: 1d/1h,30d/1d,forever/1w keeps one root an hour up to an
 * age of a day, one a day up to 30 days, then one a week. A spacing alone (1s) is for ever.
 *
 * Ages and spacings ascend, also from the classes that the policy has already.
 * @return False with `fault` filled; the policy is then of no use.
 */
bool thinning_read(const char *text, verso_retention *retention, struct word_fault *fault);

/** Write classes as thinning_read() takes them. @return False if the stream refused it. */
bool thinning_write(FILE *stream, const verso_retention_class *classes, size_t count);

#endif

/*
 * help.h - the texts of --help.
 */
#ifndef VERSO_TOOLS_HELP_H
#define VERSO_TOOLS_HELP_H

/** The text of a verb, or of the whole command for "". NULL if there is no such verb. */
const char *help_text(const char *verb);

#endif

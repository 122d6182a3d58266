/*
 * message.h - what the command says on standard error, and the code with which it then ends.
 */
#ifndef VERSO_TOOLS_MESSAGE_H
#define VERSO_TOOLS_MESSAGE_H

#include "verso.h"

/** Exit codes of the command. */
enum {
    ENDS_DONE = 0,
    ENDS_NOT_FOUND = 1, /* or check found a fault */
    ENDS_USAGE = 2,
    ENDS_ERROR = 3,
};

/**
 * The last call of the library failed: say what was being done, and why it could not be done.
 *
 * @return ENDS_NOT_FOUND for VERSO_NOT_FOUND and VERSO_GONE, else ENDS_ERROR.
 */
int message_failed(verso_err err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** A call of the system failed: say what was being done and the text of errno. @return
 * ENDS_ERROR */
int message_system_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Say something about the data or the outcome. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** The command was called wrongly: say how, with a hint where to read more. @return ENDS_USAGE */
int message_usage(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

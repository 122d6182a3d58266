/*
 * plain_runner.c - run each registered test in a child of its own, one after the other.
 *
 * Usage: PROGRAM [SUITE/NAME]...   Only the tests whose SUITE/NAME begins with one of the words.
 */
#include "criterion/criterion.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77, FAILED = 1 }; /* exit codes of a child */

static struct plain_test *first_test;
static struct plain_test **last_link = &first_test;

void plain_register(struct plain_test *test)
{
    *last_link = test;
    last_link = &test->next;
}

void plain_fail(const char *file, int line, const char *condition, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    flockfile(stderr);
    fprintf(stderr, "%s:%d: failed: %s\n    ", file, line, condition);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    funlockfile(stderr);
    va_end(arguments);
    _exit(FAILED);
}

void plain_skip(void)
{
    _exit(SKIPPED);
}

static const struct plain_test *suite_of(const struct plain_test *test)
{
    for (const struct plain_test *suite = first_test; suite != NULL; suite = suite->next) {
        if (suite->run == NULL && strcmp(suite->suite, test->suite) == 0) {
            return suite;
        }
    }
    return NULL;
}

static _Noreturn void run_in_child(const struct plain_test *test)
{
    const struct plain_test *suite = suite_of(test);
    void (*init)(void) = test->init;
    void (*fini)(void) = test->fini;
    if (suite != NULL) {
        init = init != NULL ? init : suite->init;
        fini = fini != NULL ? fini : suite->fini;
    }
    if (init != NULL) {
        init();
    }
    test->run();
    if (fini != NULL) {
        fini();
    }
    exit(EXIT_SUCCESS); /* not _exit: the sanitiser reports at exit */
}

static bool passes(const struct plain_test *test)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        run_in_child(test);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("fork or waitpid");
        return false;
    }
    if (WIFSIGNALED(status)) {
        if (WTERMSIG(status) != test->signal) {
            fprintf(stderr, "%s/%s: ended by signal %d\n", test->suite, test->name,
                    WTERMSIG(status));
        }
        return WTERMSIG(status) == test->signal;
    }
    int code = WEXITSTATUS(status);
    return code == SKIPPED || (test->signal == 0 && code == test->exit_code);
}

static bool is_asked_for(const struct plain_test *test, int words, char **word)
{
    char name[256];
    (void)snprintf(name, sizeof name, "%s/%s", test->suite, test->name);
    for (int i = 1; i < words; i++) {
        if (strncmp(name, word[i], strlen(word[i])) == 0) {
            return true;
        }
    }
    return words <= 1;
}

int main(int argc, char **argv)
{
    unsigned run = 0;
    unsigned failed = 0;
    for (const struct plain_test *test = first_test; test != NULL; test = test->next) {
        if (test->run == NULL || test->disabled || !is_asked_for(test, argc, argv)) {
            continue;
        }
        run++;
        if (!passes(test)) {
            failed++;
            fprintf(stderr, "FAILED: %s/%s\n", test->suite, test->name);
        }
    }
    fprintf(stderr, "Tests: %u, failed: %u\n", run, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

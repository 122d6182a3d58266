/*
 * criterion.h - the part of Criterion's interface that these tests use, for the thread sanitiser.
 *
 * Criterion shares a memory region with its children at an address that belongs to the sanitiser's
 * shadow, so its programs do not start there. This runner forks once a test and shares nothing.
 * A failing cr_expect ends its test here, as cr_assert does; Criterion goes on.
 */
#ifndef VERSO_PLAIN_RUNNER_CRITERION_H
#define VERSO_PLAIN_RUNNER_CRITERION_H

/* As with Criterion's own header: its macros are not the tests' to be warned about. */
#pragma GCC system_header

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** One test, or with `run` NULL the options of a suite. Made by Test() and TestSuite(). */
struct plain_test {
    const char *suite;
    const char *name;
    void (*run)(void);
    void (*init)(void);
    void (*fini)(void);
    int signal;     /* the signal that must end it; 0: none */
    int exit_code;  /* the code with which it must end */
    double timeout; /* ignored: ctest has its own */
    bool disabled;
    const char *description;
    struct plain_test *next;
};

/** Called before main() for each test. */
void plain_register(struct plain_test *test);

/** Print where and why, and end the test. Any thread. */
_Noreturn void plain_fail(const char *file, int line, const char *condition, const char *format,
                          ...) __attribute__((format(printf, 4, 5)));

/** End the test as skipped. */
_Noreturn void plain_skip(void);

#define PLAIN_REGISTER(object)                                                                     \
    __attribute__((constructor)) static void object##_register(void)                               \
    {                                                                                              \
        plain_register(&object);                                                                   \
    }

#define Test(suite_, name_, ...)                                                                   \
    static void suite_##_##name_##_run(void);                                                      \
    static struct plain_test suite_##_##name_##_test = {                                           \
        .suite = #suite_, .name = #name_, .run = suite_##_##name_##_run, __VA_ARGS__};             \
    PLAIN_REGISTER(suite_##_##name_##_test)                                                        \
    static void suite_##_##name_##_run(void)

#define TestSuite(suite_, ...)                                                                     \
    static struct plain_test suite_##_suite = {.suite = #suite_, .name = "", __VA_ARGS__};         \
    PLAIN_REGISTER(suite_##_suite)                                                                 \
    struct plain_test

#define cr_assert(condition, ...)                                                                  \
    ((condition) ? (void)0 : plain_fail(__FILE__, __LINE__, #condition, "" __VA_ARGS__))
#define cr_assert_not(condition, ...) cr_assert(!(condition), __VA_ARGS__)
#define cr_fail(...) plain_fail(__FILE__, __LINE__, "cr_fail", "" __VA_ARGS__)
#define cr_assert_fail(...) cr_fail(__VA_ARGS__)
#define cr_skip(...) plain_skip()
#define cr_skip_test(...) plain_skip()

#define cr_assert_eq(a, b, ...) cr_assert((a) == (b), __VA_ARGS__)
#define cr_assert_neq(a, b, ...) cr_assert((a) != (b), __VA_ARGS__)
#define cr_assert_lt(a, b, ...) cr_assert((a) < (b), __VA_ARGS__)
#define cr_assert_leq(a, b, ...) cr_assert((a) <= (b), __VA_ARGS__)
#define cr_assert_gt(a, b, ...) cr_assert((a) > (b), __VA_ARGS__)
#define cr_assert_geq(a, b, ...) cr_assert((a) >= (b), __VA_ARGS__)
#define cr_assert_null(a, ...) cr_assert((a) == NULL, __VA_ARGS__)
#define cr_assert_not_null(a, ...) cr_assert((a) != NULL, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) cr_assert(strcmp((a), (b)) == 0, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) cr_assert(strcmp((a), (b)) != 0, __VA_ARGS__)
#define cr_assert_str_empty(a, ...) cr_assert((a)[0] == '\0', __VA_ARGS__)
#define cr_assert_str_not_empty(a, ...) cr_assert((a)[0] != '\0', __VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...) cr_assert(memcmp((a), (b), (size)) == 0, __VA_ARGS__)
#define cr_assert_arr_neq(a, b, size, ...) cr_assert(memcmp((a), (b), (size)) != 0, __VA_ARGS__)

#define cr_expect cr_assert
#define cr_expect_not cr_assert_not
#define cr_expect_eq cr_assert_eq
#define cr_expect_neq cr_assert_neq
#define cr_expect_lt cr_assert_lt
#define cr_expect_leq cr_assert_leq
#define cr_expect_gt cr_assert_gt
#define cr_expect_geq cr_assert_geq
#define cr_expect_null cr_assert_null
#define cr_expect_not_null cr_assert_not_null
#define cr_expect_str_eq cr_assert_str_eq
#define cr_expect_str_neq cr_assert_str_neq
#define cr_expect_arr_eq cr_assert_arr_eq

#define cr_log_info(...) ((void)fprintf(stderr, __VA_ARGS__), (void)fputc('\n', stderr))
#define cr_log_warn cr_log_info
#define cr_log_error cr_log_info

#endif

/*
 * fault_test.c - the text of a thread's last fault.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <wchar.h>

#include "os/fault.h"

Test(fault, has_an_empty_detail_before_the_first)
{
    cr_assert_str_eq(vs_fault_detail(), "");
}

Test(fault, hands_the_code_back)
{
    cr_assert_eq(vs_fault(VERSO_BUSY, "lock %s", "store"), VERSO_BUSY);
}

Test(fault, keeps_the_newest_detail)
{
    (void)vs_fault(VERSO_IO, "read page %d", 7);
    (void)vs_fault(VERSO_CORRUPT, "page %d: bad checksum", 8);
    cr_assert_str_eq(vs_fault_detail(), "page 8: bad checksum");
}

Test(fault, leaves_errno_alone)
{
    errno = ENOSPC;
    (void)vs_fault(VERSO_NOSPC, "write %s", "store");
    cr_assert_eq(errno, ENOSPC);
}

Test(fault, cuts_a_detail_at_511_bytes)
{
    char text[600];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)vs_fault(VERSO_IO, "%s", text);
    cr_assert_eq(strlen(vs_fault_detail()), 511);
}

Test(fault, shows_the_bare_format_where_it_cannot_be_filled_in)
{
    (void)vs_fault(VERSO_IO, "not a character: %lc", (wint_t)0x7fffffff);
    cr_assert_str_eq(vs_fault_detail(), "not a character: %lc");
}

Test(fault, may_quote_the_detail_before)
{
    (void)vs_fault(VERSO_IO, "read failed");
    (void)vs_fault(VERSO_IO, "checkpoint: %s", vs_fault_detail());
    cr_assert_str_eq(vs_fault_detail(), "checkpoint: read failed");
}

static void *set_another_detail(void *seen_before)
{
    *(bool *)seen_before = strcmp(vs_fault_detail(), "") != 0;
    (void)vs_fault(VERSO_IO, "of another thread");
    return NULL;
}

Test(fault, belongs_to_its_thread)
{
    (void)vs_fault(VERSO_IO, "of this thread");
    bool seen_before = true;
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, set_another_detail, &seen_before), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert(!seen_before);
    cr_assert_str_eq(vs_fault_detail(), "of this thread");
}

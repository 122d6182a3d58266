/*
 * failing_calls.c - which call fails, and when; see failing_calls.h.
 */
#include "failing_calls_inner.h"

#include <stdbool.h>
#include <string.h>

#include "os/fault.h"

enum { POINTS_MAX = 4096 };

static bool recording;
static struct failing_point points[POINTS_MAX];
static size_t point_count;
static struct failing_point armed; /* `met`: so many times until it fails; 0: nothing does */
static bool failed;
static bool all_cold;

void failing_calls_record(void)
{
    point_count = 0;
    recording = true;
    all_cold = true;
}

size_t failing_calls_recorded(const struct failing_point **recorded)
{
    recording = false;
    all_cold = false;
    *recorded = points;
    return point_count;
}

void failing_calls_arm(const struct failing_point *point, uint64_t nth)
{
    armed = *point;
    armed.met = nth;
    failed = false;
    all_cold = true;
}

bool failing_calls_disarm(void)
{
    armed.met = 0;
    all_cold = false;
    return failed;
}

static void record(const char *call, const void *site)
{
    for (size_t i = 0; i < point_count; i++) {
        if (points[i].site == site && points[i].call == call) {
            points[i].met++;
            return;
        }
    }
    if (point_count < POINTS_MAX) {
        points[point_count++] = (struct failing_point){call, site, 1};
    }
}

verso_err failing_calls_meet(const char *call, verso_err err, const void *site)
{
    if (recording) {
        record(call, site);
    }
    if (armed.met == 0 || armed.site != site || armed.call != call || --armed.met > 0) {
        return VERSO_OK;
    }
    failed = true;
    return vs_fault(err, "%s() fails on command", call);
}

verso_err failing_calls_forget(struct vs_pages *pages, vs_page_no page, verso_err err)
{
    if (err == VERSO_OK && all_cold) {
        atomic_fetch_and(&pages->verified[page >> 6], ~(UINT64_C(1) << (page & 63)));
    }
    return err;
}

/*
 * report.h - figures gathered round by round, printed as a table and, if wanted, as TSV.
 *
 * A row is one thing measured ("random get, hit"); each contestant has a figure in it, with one
 * value a round. The table shows medians over the rounds. A ratio is the median of the ratios
 * within each round, so that what slows the machine for a while slows both sides of it.
 * Threads: main thread only.
 */
#ifndef VERSO_BENCH_REPORT_H
#define VERSO_BENCH_REPORT_H

#include <stdbool.h>

#include "statistics.h"

enum { FIGURES_MAX = 16, ROUNDS_MAX = 100, LABEL_SIZE = 48, AGAINST_MAX = 2 };

struct figure {
    char label[LABEL_SIZE];
    bool baseline;                             /* others in its row are compared with it */
    const struct figure *against[AGAINST_MAX]; /* compared with these only, if any is set */
    unsigned rounds;
    double values[ROUNDS_MAX];
    struct latencies latencies; /* of single operations, all rounds together; may stay empty */
};

/** One thing measured. Zeroed but for the texts by row_open(), freed by row_close(). */
struct row {
    const char *workload;
    const char *title;
    const char *unit;
    unsigned count;
    struct figure figures[FIGURES_MAX];
};

/** Opaque. */
struct report;

/** @param tsv_path  File to write, replaced if it exists; NULL for none. */
struct report *report_open(const char *tsv_path);
void report_close(struct report *report);

/** A line of the heading: to the table as it is, to the TSV behind "# ". */
void report_heading(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Begin a row. The texts are borrowed until row_close(). */
struct row *row_open(const char *workload, const char *title, const char *unit);

/** The figure of that label, made when it is first asked for; lines are printed in that order. */
struct figure *row_figure(struct row *row, const char *label, bool baseline);

/** Compare a figure with certain others of its row, instead of with all baselines. */
void figure_set_against(struct figure *figure, const struct figure *other);

/** Add the value of the next round. */
void figure_add(struct figure *figure, double value);

/** Print the row and free it. */
void row_close(struct report *report, struct row *row);

#endif

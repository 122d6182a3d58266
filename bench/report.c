/*
 * report.c - print rows of figures.
 *
 * The table:
 *     title                            unit        min .. max     p50 us   p99 us  p99.9 us
 *       Verso, keep 1 21,345 20,100 .. 22,000 45.1 90.2 300.0 5.20 x LMDB LMDB 4,105 3,950 .. 4,230
 *       228.0 410.0 900.0
 * The TSV has one line a figure; its columns are named in its first line that is no comment.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stop.h"

enum { LABEL_WIDTH = 48, NUMBER_SIZE = 32, RATIOS_SIZE = 512 };

struct report {
    FILE *tsv; /* NULL for none */
    bool tsv_has_columns;
};

struct number {
    char text[NUMBER_SIZE];
};

struct report *report_open(const char *tsv_path)
{
    struct report *report = allocate(1, sizeof *report);
    if (tsv_path != NULL) {
        report->tsv = fopen(tsv_path, "w");
        if (report->tsv == NULL) {
            stop_with("cannot write %s", tsv_path);
        }
    }
    return report;
}

void report_close(struct report *report)
{
    if (report->tsv != NULL && fclose(report->tsv) != 0) {
        stop_with("the TSV could not be written to its end");
    }
    free(report);
}

__attribute__((format(printf, 3, 0))) static void write_text(FILE *file, const char *before,
                                                             const char *format, va_list arguments)
{
    fputs(before, file);
    vfprintf(file, format, arguments);
    fputc('\n', file);
}

void report_heading(struct report *report, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (report->tsv != NULL) {
        va_list again;
        va_copy(again, arguments);
        write_text(report->tsv, "# ", format, again);
        va_end(again);
    }
    write_text(stdout, "", format, arguments);
    va_end(arguments);
}

struct row *row_open(const char *workload, const char *title, const char *unit)
{
    struct row *row = allocate(1, sizeof *row);
    row->workload = workload;
    row->title = title;
    row->unit = unit;
    return row;
}

struct figure *row_figure(struct row *row, const char *label, bool baseline)
{
    for (unsigned i = 0; i < row->count; i++) {
        if (strcmp(row->figures[i].label, label) == 0) {
            return &row->figures[i];
        }
    }
    if (row->count == FIGURES_MAX) {
        stop_with("the row \"%s\" has too many figures", row->title);
    }
    struct figure *figure = &row->figures[row->count++];
    snprintf(figure->label, sizeof figure->label, "%s", label);
    figure->baseline = baseline;
    return figure;
}

void figure_set_against(struct figure *figure, const struct figure *other)
{
    for (unsigned i = 0; i < AGAINST_MAX; i++) {
        if (figure->against[i] == NULL || figure->against[i] == other) {
            figure->against[i] = other;
            return;
        }
    }
    stop_with("the figure \"%s\" is compared with too many others", figure->label);
}

void figure_add(struct figure *figure, double value)
{
    if (figure->rounds == ROUNDS_MAX) {
        stop_with("the figure \"%s\" has too many rounds", figure->label);
    }
    figure->values[figure->rounds++] = value;
}

/* 1234567.8 as 1,234,568; small numbers with decimals. */
static struct number grouped(double value)
{
    struct number number;
    if (value < 1000.0) {
        snprintf(number.text, sizeof number.text, "%.*f", value < 100.0 ? 2 : 1, value);
        return number;
    }
    char digits[NUMBER_SIZE];
    int length = snprintf(digits, sizeof digits, "%.0f", value);
    size_t to = 0;
    for (int i = 0; i < length && to + 2 < sizeof number.text; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            number.text[to++] = ',';
        }
        number.text[to++] = digits[i];
    }
    number.text[to] = '\0';
    return number;
}

/* A percentile says something only if some samples lie beyond it. */
static bool has_percentile(const struct latencies *latencies, double percent)
{
    return (double)latencies->count * (100.0 - percent) >= 100.0;
}

static struct number microseconds(const struct latencies *latencies, double percent)
{
    struct number number = {"-"};
    if (has_percentile(latencies, percent)) {
        double us = (double)latencies_percentile(latencies, percent) / 1e3;
        snprintf(number.text, sizeof number.text, "%.*f", us < 10.0 ? 2 : 1, us);
    }
    return number;
}

static double least(const struct figure *figure)
{
    double value = figure->rounds > 0 ? figure->values[0] : 0.0;
    for (unsigned i = 1; i < figure->rounds; i++) {
        value = figure->values[i] < value ? figure->values[i] : value;
    }
    return value;
}

static double most(const struct figure *figure)
{
    double value = figure->rounds > 0 ? figure->values[0] : 0.0;
    for (unsigned i = 1; i < figure->rounds; i++) {
        value = figure->values[i] > value ? figure->values[i] : value;
    }
    return value;
}

static double ratio(const struct figure *figure, const struct figure *baseline)
{
    double ratios[ROUNDS_MAX];
    unsigned rounds = figure->rounds < baseline->rounds ? figure->rounds : baseline->rounds;
    unsigned count = 0;
    for (unsigned i = 0; i < rounds; i++) {
        if (baseline->values[i] > 0.0) {
            ratios[count++] = figure->values[i] / baseline->values[i];
        }
    }
    return median(ratios, count);
}

static bool is_compared(const struct figure *figure, const struct figure *other)
{
    if (other == figure || other->rounds == 0) {
        return false;
    }
    if (figure->against[0] == NULL) {
        return other->baseline && !figure->baseline;
    }
    for (unsigned i = 0; i < AGAINST_MAX; i++) {
        if (figure->against[i] == other) {
            return true;
        }
    }
    return false;
}

/* "5.20 x LMDB; 0.84 x append + fdatasync", or nothing where there is nothing to compare with. */
static void write_ratios(const struct row *row, const struct figure *figure,
                         char text[static RATIOS_SIZE])
{
    text[0] = '\0';
    size_t used = 0;
    for (unsigned i = 0; i < row->count; i++) {
        const struct figure *other = &row->figures[i];
        if (!is_compared(figure, other)) {
            continue;
        }
        int length = snprintf(text + used, RATIOS_SIZE - used, "%s%.2f x %s", used > 0 ? "; " : "",
                              ratio(figure, other), other->label);
        if (length < 0 || (size_t)length >= RATIOS_SIZE - used) {
            return; /* cut short; the figures themselves are all there */
        }
        used += (size_t)length;
    }
}

static void print_figure(const struct row *row, const struct figure *figure)
{
    char ratios[RATIOS_SIZE];
    char spread[2 * NUMBER_SIZE + 4];
    write_ratios(row, figure, ratios);
    snprintf(spread, sizeof spread, "%s .. %s", grouped(least(figure)).text,
             grouped(most(figure)).text);
    printf("  %-*s %12s %25s %9s %9s %9s   %s\n", LABEL_WIDTH - 2, figure->label,
           grouped(median(figure->values, figure->rounds)).text, spread,
           microseconds(&figure->latencies, 50.0).text, microseconds(&figure->latencies, 99.0).text,
           microseconds(&figure->latencies, 99.9).text, ratios);
}

static void write_tsv(FILE *tsv, const struct row *row, const struct figure *figure)
{
    char ratios[RATIOS_SIZE];
    write_ratios(row, figure, ratios);
    fprintf(tsv, "%s\t%s\t%s\t%s\t%.6g\t%.6g\t%.6g\t%u", row->workload, row->title, figure->label,
            row->unit, median(figure->values, figure->rounds), least(figure), most(figure),
            figure->rounds);
    const double percents[] = {50.0, 99.0, 99.9};
    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++) {
        if (has_percentile(&figure->latencies, percents[i])) {
            double ns = (double)latencies_percentile(&figure->latencies, percents[i]);
            fprintf(tsv, "\t%.0f", ns);
        } else {
            fputc('\t', tsv);
        }
    }
    fprintf(tsv, "\t%s\n", ratios);
}

static void write_columns_once(struct report *report)
{
    if (!report->tsv_has_columns) {
        fputs("workload\trow\tcontestant\tunit\tmedian\tmin\tmax\trounds\tp50_ns\tp99_ns\tp999_ns"
              "\tratios\n",
              report->tsv);
        report->tsv_has_columns = true;
    }
}

void row_close(struct report *report, struct row *row)
{
    printf("\n%-*s %12s %25s %9s %9s %9s   %s\n", LABEL_WIDTH, row->title, row->unit, "min .. max",
           "p50 us", "p99 us", "p99.9 us", "against");
    for (unsigned i = 0; i < row->count; i++) {
        struct figure *figure = &row->figures[i];
        latencies_sort(&figure->latencies);
        print_figure(row, figure);
        if (report->tsv != NULL) {
            write_columns_once(report);
            write_tsv(report->tsv, row, figure);
        }
        latencies_clear(&figure->latencies);
    }
    fflush(stdout);
    if (report->tsv != NULL) {
        fflush(report->tsv);
    }
    free(row);
}

/*
 * log_segments.c - move segments between the lists of an open log.
 */
#include "store/log_segments.h"

#include <assert.h>
#include <stdlib.h>

struct vs_log_segment *vs_log_segment_make(uint32_t number, struct vs_file *file)
{
    struct vs_log_segment *segment = malloc(sizeof *segment);
    if (segment != NULL) {
        *segment = (struct vs_log_segment){.number = number, .file = file};
    }
    return segment;
}

void vs_log_segment_free(const struct vs_log_config *config, struct vs_log_segment *segment)
{
    if (segment->file != NULL) {
        config->os->close(segment->file);
    }
    free(segment);
}

void vs_log_segments_add_ready(struct vs_log_segments *segments, struct vs_log_segment *segment)
{
    assert(segment->file != NULL);

    struct vs_log_segment **link = &segments->ready;
    while (*link != NULL && (*link)->number < segment->number) {
        link = &(*link)->next;
    }
    segment->next = *link;
    *link = segment;
    segments->ready_count++;
}

void vs_log_segments_hold(struct vs_log_segments *segments, struct vs_log_segment *segment)
{
    assert(segment->file == NULL);

    segment->next = segments->held;
    segments->held = segment;
}

void vs_log_segments_use(struct vs_log_segments *segments, uint64_t lsn)
{
    assert(segments->ready != NULL);
    assert(segments->last == NULL || segments->last->lsn < lsn);

    struct vs_log_segment *segment = segments->ready;
    segments->ready = segment->next;
    segments->ready_count--;
    segment->next = NULL;
    segment->lsn = lsn;
    if (segments->last == NULL) {
        segments->in_use = segment;
    } else {
        segments->last->next = segment;
    }
    segments->last = segment;
    segments->in_use_count++;
}

struct vs_log_segment *vs_log_segments_find(const struct vs_log_segments *segments, uint64_t lsn,
                                            uint32_t segment_size)
{
    struct vs_log_segment *segment = segments->in_use;
    assert(segment != NULL);
    while (segment->lsn + segment_size <= lsn) {
        segment = segment->next;
        assert(segment != NULL);
    }
    assert(segment->lsn <= lsn);
    return segment;
}

void vs_log_segments_recycle(struct vs_log_segments *segments, uint64_t lsn, uint32_t segment_size)
{
    while (segments->in_use != segments->last && segments->in_use->lsn + segment_size <= lsn) {
        struct vs_log_segment *segment = segments->in_use;
        segments->in_use = segment->next;
        segments->in_use_count--;
        vs_log_segments_add_ready(segments, segment);
    }
}

struct vs_log_segment *vs_log_segments_excess(struct vs_log_segments *segments, unsigned in_use)
{
    unsigned lately = in_use > segments->in_use_before ? in_use : segments->in_use_before;
    segments->in_use_before = in_use;

    struct vs_log_segment **link = &segments->ready;
    for (unsigned kept = 0; kept < 2 * lately && *link != NULL; kept++) {
        link = &(*link)->next;
    }
    struct vs_log_segment *excess = *link;
    *link = NULL;
    for (struct vs_log_segment *segment = excess; segment != NULL; segment = segment->next) {
        segments->ready_count--;
    }
    return excess;
}

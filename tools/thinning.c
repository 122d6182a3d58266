/*
 * thinning.c - read and write the classes of a retention policy; see thinning.h.
 */
#include "thinning.h"

#include "quantity.h"

static const char forever[] = "forever";

/** Read AGE/SPACING, or SPACING alone. */
static bool read_class(struct word *word, verso_retention_class *class)
{
    if (word_skip(word, forever)) {
        class->age_us = UINT64_MAX;
        if (!word_skip(word, "/")) {
            return word_fails(word, word->next, "a spacing is needed: forever/1w");
        }
        return quantity_duration(word, &class->spacing_us);
    }
    if (!quantity_duration(word, &class->age_us)) {
        return false;
    }
    if (!word_skip(word, "/")) {
        *class = (verso_retention_class){UINT64_MAX, class->age_us};
        return true;
    }
    return quantity_duration(word, &class->spacing_us);
}

/** Does the class go on where the ones before it end? */
static bool follows(struct word *word, const char *at, const verso_retention *retention,
                    const verso_retention_class *class)
{
    if (class->age_us == 0) {
        return word_fails(word, at, "an age is more than 0");
    }
    if (retention->class_count == VERSO_RETENTION_CLASSES_MAX) {
        return word_fails(word, at, "at most 16 classes");
    }
    if (retention->class_count == 0) {
        return true;
    }
    const verso_retention_class *before = &retention->classes[retention->class_count - 1];
    if (class->age_us <= before->age_us) {
        return word_fails(word, at, "ages ascend: this one is not above the one before it");
    }
    return class->spacing_us > before->spacing_us ||
           word_fails(word, at, "spacings ascend: this one is not above the one before it");
}

bool thinning_read(const char *text, verso_retention *retention, struct word_fault *fault)
{
    struct word word = {text, fault};
    do {
        const char *at = word.next;
        verso_retention_class class = {0, 0};
        if (!read_class(&word, &class) || !follows(&word, at, retention, &class)) {
            return false;
        }
        retention->classes[retention->class_count++] = class;
    } while (word_skip(&word, ","));
    return word_ends(&word, "classes are written as AGE/SPACING,AGE/SPACING");
}

bool thinning_write(FILE *stream, const verso_retention_class *classes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct quantity_text age = quantity_duration_text(classes[i].age_us);
        struct quantity_text spacing = quantity_duration_text(classes[i].spacing_us);
        if (fprintf(stream, "%s%s/%s", i == 0 ? "" : ",",
                    classes[i].age_us == UINT64_MAX ? forever : age.text, spacing.text) < 0) {
            return false;
        }
    }
    return true;
}

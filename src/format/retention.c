/*
 * retention.c - judge, encode and decode policies; see retention.h for the bytes.
 */
#include "format/retention.h"

#include <string.h>

#include "format/byte_order.h"

enum { FLAG_ALL = 1, FLAG_CHECKPOINTS = 2, FLAG_BUDGET = 4, FLAGS = 7 };

enum {
    FLAGS_AT = 0,
    COUNT_AT = 4,
    LAST_AT = 8,
    BUDGET_AT = 16,
    PERCENT_AT = 24,
    CLASSES_AT = VS_RETENTION_FIXED,
    CLASS_SIZE = 16,
};

const char *vs_retention_fault(const verso_retention *retention)
{
    if (retention->last == 0) {
        return "the newest root cannot be dropped: `last` is at least 1";
    }
    if (retention->class_count > VERSO_RETENTION_CLASSES_MAX) {
        return "more than 16 classes of age";
    }
    for (uint32_t i = 1; i < retention->class_count; i++) {
        const verso_retention_class *class = &retention->classes[i];
        if (class->age_us <= class[-1].age_us) {
            return "the ages of the classes do not ascend";
        }
        if (class->spacing_us < class[-1].spacing_us) {
            return "an older class is spaced more closely than a younger one";
        }
    }
    return NULL;
}

size_t vs_retention_encode(const verso_retention *retention, uint8_t *bytes)
{
    memset(bytes, 0, VS_RETENTION_FIXED);
    vs_put_le32(bytes + FLAGS_AT, (retention->all ? FLAG_ALL : 0u) |
                                      (retention->checkpoints ? FLAG_CHECKPOINTS : 0u) |
                                      (retention->has_budget ? FLAG_BUDGET : 0u));
    vs_put_le32(bytes + COUNT_AT, retention->class_count);
    vs_put_le64(bytes + LAST_AT, retention->last);
    vs_put_le64(bytes + BUDGET_AT, retention->budget_bytes);
    vs_put_le32(bytes + PERCENT_AT, retention->budget_percent);
    uint8_t *at = bytes + CLASSES_AT;
    for (uint32_t i = 0; i < retention->class_count; i++) {
        vs_put_le64(at, retention->classes[i].age_us);
        vs_put_le64(at + 8, retention->classes[i].spacing_us);
        at += CLASS_SIZE;
    }
    return (size_t)(at - bytes);
}

const char *vs_retention_decode(const uint8_t *bytes, size_t size, verso_retention *retention)
{
    if (size < VS_RETENTION_FIXED) {
        return "a retention policy is cut short";
    }
    uint32_t flags = vs_get_le32(bytes + FLAGS_AT);
    uint32_t count = vs_get_le32(bytes + COUNT_AT);
    if (flags > FLAGS || count > VERSO_RETENTION_CLASSES_MAX ||
        size != VS_RETENTION_FIXED + (size_t)count * CLASS_SIZE) {
        return "a retention policy has unknown flags or another size";
    }
    verso_retention decoded = {
        .size = sizeof decoded,
        .all = (flags & FLAG_ALL) != 0,
        .checkpoints = (flags & FLAG_CHECKPOINTS) != 0,
        .last = vs_get_le64(bytes + LAST_AT),
        .class_count = count,
        .has_budget = (flags & FLAG_BUDGET) != 0,
        .budget_bytes = vs_get_le64(bytes + BUDGET_AT),
        .budget_percent = vs_get_le32(bytes + PERCENT_AT),
    };
    const uint8_t *at = bytes + CLASSES_AT;
    for (uint32_t i = 0; i < count; i++) {
        decoded.classes[i] = (verso_retention_class){vs_get_le64(at), vs_get_le64(at + 8)};
        at += CLASS_SIZE;
    }
    const char *fault = vs_retention_fault(&decoded);
    if (fault == NULL) {
        *retention = decoded;
    }
    return fault;
}

/*
 * forged_meta_test.c - metas whose checksum is right and whose numbers are not: every field at the
 * bounds of what it can hold. A store that opens answers rightly or with an error; one that does not
 * open is left as it is.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "api_scenarios.h"
#include "forged_meta.h"

static const uint64_t bounds[] = {
    0,
    1,
    2,
    3,
    63,
    64,
    INT32_MAX,
    UINT32_MAX - 1,
    UINT32_MAX,
    UINT64_C(1) << 32,
    (UINT64_C(1) << 40) - 1,
    INT64_MAX - 1,
    INT64_MAX,
    UINT64_C(1) << 63,
    UINT64_MAX - 65536,
    UINT64_MAX - 1,
    UINT64_MAX,
};
enum { BOUNDS = sizeof bounds / sizeof bounds[0] };

/* ---- every field at every bound ---- */

static bool is_documented(verso_err err)
{
    return err == VERSO_OK || err == VERSO_NOT_FOUND || err == VERSO_CORRUPT ||
           err == VERSO_LIMIT || err == VERSO_MUST_ABORT || err == VERSO_NOSPC ||
           err == VERSO_WAL_MISSING || err == VERSO_WAL_CORRUPT || err == VERSO_GONE ||
           err == VERSO_MISMATCH || err == VERSO_FORMAT || err == VERSO_POISONED ||
           err == VERSO_UNKNOWN;
}

static verso_err commit_one(verso_store *store)
{
    struct scenario_run run = {.store = store};
    verso_txn *txn;
    verso_err err = verso_begin(store, &txn);
    return err == VERSO_OK ? scenario_finish(&run, txn, scenario_put(&run, txn, 3, 50)) : err;
}

static verso_err read_all(verso_store *store)
{
    verso_view *view;
    verso_cursor *cursor;
    verso_err err = verso_view_open(store, &view);
    if (err != VERSO_OK) {
        return err;
    }
    err = verso_cursor_open(view, NULL, &cursor);
    for (unsigned i = 0; i < 2 * SCENARIO_KEYS && err == VERSO_OK; i++) {
        err = verso_cursor_next(cursor, NULL);
    }
    verso_cursor_close(cursor);
    verso_view_close(view);
    return err == VERSO_OK ? VERSO_CORRUPT : err; /* the forged tree has no more keys than that */
}

/* Every call gives a documented code; the process lives. */
static void use(verso_store *store, const char *field, uint64_t value)
{
    verso_check_report report = {.size = sizeof report};
    verso_err errs[] = {read_all(store),         verso_check(store, &report), commit_one(store),
                        verso_checkpoint(store), commit_one(store),           read_all(store),
                        verso_close(store)};
    for (size_t i = 0; i < sizeof errs / sizeof errs[0]; i++) {
        cr_assert(is_documented(errs[i]), "%s = %" PRIu64 ", call %zu: %s", field, value, i,
                  verso_strerror(errs[i]));
    }
}

static void open_forged(struct simulated_disk *disk, const char *field, uint64_t value)
{
    uint64_t before = simulated_disk_digest(disk);
    verso_store *store;
    verso_err err = scenario_open(disk, SCENARIO_PATH, &store);
    cr_assert(is_documented(err), "%s = %" PRIu64 ": %s (%s)", field, value, verso_strerror(err),
              verso_error_detail());
    if (err == VERSO_OK) {
        use(store, field, value);
        return;
    }
    /* damage that only the replay of a sound log meets is met too late to have changed nothing */
    cr_assert(simulated_disk_digest(disk) == before || err == VERSO_CORRUPT ||
                  err == VERSO_WAL_CORRUPT,
              "%s = %" PRIu64 ": a failed open wrote", field, value);
}

/* A field of struct vs_meta. */
struct field {
    const char *name;
    size_t at;
    size_t size;
};

#define FIELD(member)                                                                              \
    {                                                                                              \
#member, offsetof(struct vs_meta, member), sizeof(((struct vs_meta *)0)->member)           \
    }

static const struct field fields[] = {
    FIELD(page_size),
    FIELD(epoch),
    FIELD(generation),
    FIELD(root.version),
    FIELD(root.tree.page),
    FIELD(root.tree.depth),
    FIELD(root.tree.keys),
    FIELD(root.catalogue.page),
    FIELD(root.catalogue.depth),
    FIELD(root.catalogue.keys),
    FIELD(root.fingerprint),
    FIELD(root.time_us),
    FIELD(history.page),
    FIELD(history.depth),
    FIELD(history.keys),
    FIELD(tags.page),
    FIELD(tags.depth),
    FIELD(tags.keys),
    FIELD(log_lsn),
    FIELD(log_previous_crc),
    FIELD(high_water),
    FIELD(held_pages),
    FIELD(budget_pages),
    FIELD(top[0]),
    FIELD(top[VS_TOPS_MAX - 1]),
};

static void set_field(struct vs_meta *meta, const struct field *field, uint64_t value)
{
    uint32_t small = (uint32_t)value;
    void *at = (uint8_t *)meta + field->at;
    memcpy(at, field->size == sizeof small ? (void *)&small : (void *)&value, field->size);
}

static void forge_each(enum scenario_start start)
{
    struct simulated_disk *made = scenario_disk(start);
    struct vs_meta meta;
    forged_meta_read(made, &meta);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        cr_assert(fields[i].size == 4 || fields[i].size == 8, "%s", fields[i].name);
        for (unsigned j = 0; j < BOUNDS; j++) {
            struct vs_meta forged = meta;
            struct simulated_disk *disk = simulated_disk_clone(made);
            set_field(&forged, &fields[i], bounds[j]);
            forged_meta_write(disk, &forged);
            open_forged(disk, fields[i].name, bounds[j]);
            simulated_disk_close(disk);
        }
    }
    simulated_disk_close(made);
}

Test(forged_meta, of_a_closed_store_breaks_nothing)
{
    forge_each(SCENARIO_CLOSED);
}

Test(forged_meta, of_a_store_in_use_breaks_nothing)
{
    forge_each(SCENARIO_CRASHED);
}

/*
 * api_copy.c - copies and increments of the model's store.
 */
#include "api_copy.h"

#include "verdict.h"

#define COPY_PATH "copy"
#define INCREMENT_PATH "increment"

static void require(bool holds, const char *what)
{
    verdict_require(holds, what);
}

static verso_store *open_copy(struct simulated_disk *disk, bool read_only)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_store *store = NULL;
    options.read_only = read_only;
    options.arena_bytes = 1; /* the least there is, as is the next */
    options.log_bytes = 1;
    options.system = simulated_disk_os(disk);
    require(verso_open(COPY_PATH, &options, &store) == VERSO_OK, "a copy does not open");
    return store;
}

static void apply(struct simulated_disk *disk, const verso_copy_report *made)
{
    verso_copy_report report = {.size = sizeof report};
    verso_store *store = open_copy(disk, false);
    require(verso_copy_apply(store, INCREMENT_PATH, &report) == VERSO_OK, "applying an increment");
    require(report.newest == made->newest && report.roots == made->roots, "what was applied");
    require(verso_close(store) == VERSO_OK, "closing a copy");
    simulated_disk_remove(disk, INCREMENT_PATH);
}

bool api_copy_go_on(struct api_copy *copy, verso_store *store, struct simulated_disk *disk,
                    verso_root_id may_go)
{
    verso_copy_report report = {.size = sizeof report};
    if (!copy->is_there) {
        require(verso_copy(store, COPY_PATH, NULL, &report) == VERSO_OK, "a copy");
    } else {
        verso_err err = verso_copy_since(store, copy->newest, INCREMENT_PATH, &report);
        if (err == VERSO_GONE && copy->newest < may_go) {
            api_copy_forget(copy, disk);
            return false;
        }
        require(err == VERSO_OK, "an increment");
        apply(disk, &report);
    }
    *copy = (struct api_copy){true, report.newest};
    if (report.newest == 0) { /* of an empty store, which is since no root */
        api_copy_forget(copy, disk);
    }
    return copy->is_there;
}

void api_copy_compare(struct simulated_disk *disk, const struct api_state *newest)
{
    verso_check_report report = {.size = sizeof report};
    verso_store *store = open_copy(disk, true);
    verso_view *view = NULL;
    require(verso_check(store, &report) == VERSO_OK, "the check of a copy finds a fault");
    require(verso_view_open(store, &view) == VERSO_OK, "a copy has no newest root");
    api_compare_view(view, newest);
    verso_view_close(view);
    require(verso_close(store) == VERSO_OK, "closing a copy");
}

void api_copy_forget(struct api_copy *copy, struct simulated_disk *disk)
{
    if (copy->is_there) {
        simulated_disk_remove(disk, COPY_PATH);
    }
    copy->is_there = false;
}

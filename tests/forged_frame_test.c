/*
 * forged_frame_test.c - a log frame whose checksums are right and whose operations are others: what
 * replay makes of it must have the fingerprint that the frame gives.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "format/frame.h"
#include "format/segment.h"
#include "simulated_disk.h"
#include "verso.h"

enum { FRAME_SPACE = 4096 };

static verso_options options_of(struct simulated_disk *disk)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = 512;
    options.system = simulated_disk_os(disk);
    return options;
}

/* What a power cut leaves of a store with one commit, which is in the log alone. */
static struct simulated_disk *leave_one_frame(void)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_options options = options_of(disk);
    verso_store *store;
    verso_txn *txn;
    cr_assert_eq(verso_open("store", &options, &store), VERSO_OK);
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text("key"), verso_text("value")), VERSO_OK);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
    return left;
}

/* Turn "value" into another word of five letters, and encode the frame anew. */
static void forge(struct simulated_disk *disk, const char *word)
{
    uint64_t size;
    const uint8_t *live = simulated_disk_bytes(disk, "store-wal.0", &size);
    static uint8_t file[64 * 1024];
    cr_assert_eq(size, sizeof file);
    memcpy(file, live, sizeof file);
    uint8_t *bytes = file + VS_SEGMENT_HEADER;
    struct vs_frame frame;
    uint32_t crc;
    cr_assert_null(vs_frame_decode_header(bytes, &frame));
    cr_assert_null(vs_frame_decode_rest(bytes, &frame, &crc));
    static uint8_t operations[FRAME_SPACE];
    cr_assert_leq(frame.operations.size, sizeof operations);
    memcpy(operations, frame.operations.data, frame.operations.size);
    memcpy(operations + frame.operations.size - strlen(word), word, strlen(word));
    frame.operations.data = operations;
    (void)vs_frame_encode(&frame, bytes);
    simulated_disk_put(disk, "store-wal.0", file, sizeof file);
}

static verso_err open_it(struct simulated_disk *disk)
{
    verso_options options = options_of(disk);
    verso_store *store = NULL;
    verso_err err = verso_open("store", &options, &store);
    if (err == VERSO_OK) {
        cr_assert_eq(verso_close(store), VERSO_OK);
    }
    return err;
}

Test(forged_frame, whose_replay_has_another_fingerprint_is_refused)
{
    struct simulated_disk *disk = leave_one_frame();
    uint64_t digest = simulated_disk_digest(disk);
    forge(disk, "value"); /* the forgery itself is sound */
    cr_assert_eq(simulated_disk_digest(disk), digest);
    forge(disk, "other");
    cr_assert_eq(open_it(disk), VERSO_WAL_CORRUPT, "%s", verso_error_detail());
    cr_assert_not_null(strstr(verso_error_detail(), "another fingerprint"), "%s",
                       verso_error_detail());
    forge(disk, "value");
    cr_assert_eq(open_it(disk), VERSO_OK, "%s", verso_error_detail());
    simulated_disk_close(disk);
}

/*
 * forged_meta.c - reading and writing metas behind the engine's back.
 */
#include "forged_meta.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "api_scenarios.h"

void forged_meta_read(struct simulated_disk *disk, struct vs_meta *meta)
{
    const uint8_t *bytes = simulated_disk_bytes(disk, SCENARIO_PATH, NULL);
    cr_assert_eq(vs_meta_decode(bytes, meta), VS_META_OK);
}

void forged_meta_write(struct simulated_disk *disk, const struct vs_meta *meta)
{
    uint64_t size;
    const uint8_t *live = simulated_disk_bytes(disk, SCENARIO_PATH, &size);
    uint8_t *bytes = malloc(size);
    cr_assert_not_null(bytes);
    memcpy(bytes, live, size);
    vs_meta_encode(meta, bytes);
    vs_meta_encode(meta, bytes + VS_META_B_AT);
    simulated_disk_put(disk, SCENARIO_PATH, bytes, size);
    free(bytes);
}

/*
 * machine.h - what the bare system calls can do: the limit that commits run against.
 */
#ifndef VERSO_BENCH_MACHINE_H
#define VERSO_BENCH_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "statistics.h"

/**
 * Append 200 bytes again and again to a file that is allocated and written already, each time with
 * an fdatasync or never.
 *
 * @param directory  Where the file is made, and removed again.
 * @param count_max  Most appends; it ends after `seconds` in any case.
 * @return Appends a second.
 */
double machine_append(const char *directory, bool with_sync, double seconds, uint32_t count_max,
                      struct latencies *latencies);

/**
 * Bytes written so far to the device that `directory` lies on, by anybody: a quiet machine is
 * assumed. The kernel's count per process would not do: it takes a short write into a large folio
 * of the page cache for the whole folio.
 *
 * @return False where the system does not tell; `*bytes` is unchanged then.
 */
bool machine_written_bytes(const char *directory, uint64_t *bytes);

#endif

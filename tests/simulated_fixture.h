/*
 * simulated_fixture.h - one simulated disk for each test of the disk itself, and shorthand for it.
 *
 * Everything here fails the test where the disk does not do as asked.
 */
#ifndef VERSO_TESTS_SIMULATED_FIXTURE_H
#define VERSO_TESTS_SIMULATED_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "simulated_disk.h"

enum {
    SECTOR = SIMULATED_SECTOR_SIZE,
    SEEDS = 200, /* crashes in which each possible outcome is expected to occur */
};

/** The disk of the running test and its table; from simulated_set_up() to simulated_tear_down(). */
extern struct simulated_disk *disk;
extern const struct vs_os *os;

void simulated_set_up(void);
void simulated_tear_down(void);

struct vs_file *open_file(const char *path, enum vs_open_mode mode);

/** A durable file of `sectors` sectors filled with `byte`, still open. */
struct vs_file *durable_file(const char *path, int byte, size_t sectors);

void write_sector(struct vs_file *file, size_t sector, int byte);

void sync_file(struct vs_file *file);

/** First byte of a sector of a file that exists. */
char byte_of(struct simulated_disk *of, const char *path, size_t sector);

/** Length of a file that exists. */
uint64_t size_of(struct simulated_disk *of, const char *path);

/** The byte that a crash leaves in a sector. */
char crashed_byte(const char *path, size_t sector, uint64_t seed, enum simulated_crash mode);

/** Which of `candidates` RANDOM crashes leave in a sector, as a set of bits; others fail the
 * test. */
unsigned crashed_set(const char *path, size_t sector, const char *candidates);

#endif

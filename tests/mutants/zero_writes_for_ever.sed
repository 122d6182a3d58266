# A write that makes no progress is repeated without end.
# file: src/os/posix_file.c
# tests: os_posix
s/if (zero_progress == ZERO_PROGRESS_MAX) {/if (false) {/

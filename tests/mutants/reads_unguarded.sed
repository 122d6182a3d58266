# Pages are touched without being read by a call before.
# file: src/store/file_guard.c
# tests: guarded_reads
s/if (file == NULL) {/if (file == NULL || size > 0) {/

# A file that was taken away is not noticed.
# file: src/store/file_size.c
# tests: files_in_use
s/if (identity.links == 0) {/if (false) {/;s/} else if (identity.size < atomic_load/} else if (false \&\& identity.size < atomic_load/

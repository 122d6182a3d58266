# Pages beyond the end of a file that was cut are touched.
# file: src/store/pages.c
# tests: pages
s/if (at + pages->page_size > atomic_load(&pages->table->file_bytes)) {/if (false) {/

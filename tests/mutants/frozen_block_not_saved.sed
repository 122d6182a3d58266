# The writer changes a frozen block without saving its bytes aside.
# file: src/store/page_table.c
# tests: page_table_freeze page_table checkpoint store_crash
s/if (!in_memory || frozen) {/if (!in_memory) {/

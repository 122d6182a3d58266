# A tree that is created under a number may take another's.
# file: src/tree/tree_set.c
# tests: trees distrust increment store_open
/^static verso_err check_free/,/^}/s/if (err != VERSO_NOT_FOUND || number == 0) {/if (true) {/

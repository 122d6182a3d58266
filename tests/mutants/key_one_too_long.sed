# A key may be one byte longer than fits.
# file: src/tree/insert.c
# tests: boundary_sizes tree
s/if (key.size > vs_leaf_key_max(page_size_of(edit))) {/if (key.size > vs_leaf_key_max(page_size_of(edit)) + 1) {/

# A cell of a leaf may reach beyond its page.
# file: src/format/leaf_check.c
# tests: leaf
s/if (slot.cell_at < cell_top || slot.cell_at + LEAF_INFO_SIZE > page_size) {/if (false) {/

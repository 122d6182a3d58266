# A scan follows a link without asking the branches.
# file: src/tree/cursor.c
# tests: tree_cursor tree_chain
s/if (forward \&\& linked != (moved ? leaf->page : 0)) {/if (false) {/

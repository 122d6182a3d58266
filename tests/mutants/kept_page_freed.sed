# A page that an old root keeps is free.
# file: src/store/reclaim.c
# tests: reclaim tree_model
s/if (!is_kept(store, death->born, death->died, death->history)) {/if (true) {/

# The root that an increment makes is not compared with what it says.
# file: src/api/increment.c
# tests: increment
s/if (vs_tree_set_fingerprint(&applying->trees) != applying->root.fingerprint) {/if (false) {/

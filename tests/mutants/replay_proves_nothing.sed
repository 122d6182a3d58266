# The fingerprint that a replay must give is not compared.
# file: src/api/recovery.c
# tests: forged_frame store_open
s/if (err == VERSO_OK \&\& vs_tree_set_fingerprint(trees) != record->fingerprint) {/if (false) {/

# A walk over differences forgets its error when a transaction changes.
# file: src/history/difference.c
# tests: kept_error
/^void vs_difference_restart/,/^}/s/if (difference->error != VERSO_OK) {/if (difference->error == VERSO_NOT_FOUND) {/

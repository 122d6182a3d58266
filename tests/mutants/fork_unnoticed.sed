# A child goes on with its parent's handles.
# file: src/api/handles.h
# tests: fork
s/if (__builtin_expect(store->forks != vs_fork_count(), 0)) {/if (false) {/

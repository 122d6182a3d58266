# A savepoint that is released does not hand on what the outer one needs.
# file: src/store/savepoint.c
# tests: savepoint savepoint_model txn_savepoint
s/if (savepoint > 1 \&\& entry->stamp < gone\[-1\].mark) {/if (false) {/

# A deleted range leaves its long values behind.
# file: src/tree/delete_range.c
# tests: delete_range
/^static verso_err drop_runs/,/^}/s/if (!payload.is_run) {/if (true) {/

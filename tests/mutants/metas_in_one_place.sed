# Both metas go to one slot.
# file: src/store/checkpoint_write.c
# tests: meta_order checkpoint store_crash
s/uint64_t at = i == meta->generation % 2 ? 0 : VS_META_B_AT;/uint64_t at = 0;/

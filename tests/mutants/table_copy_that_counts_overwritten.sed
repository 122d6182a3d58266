# A block goes over the copy that counts.
# file: src/store/checkpoint_write.c
# tests: checkpoint store_crash
s/return entry == 0 ? 0 : 1 - vs_entry_copy(entry);/return entry == 0 ? 0 : vs_entry_copy(entry);/

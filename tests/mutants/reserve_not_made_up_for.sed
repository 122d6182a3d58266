# What deletions took out of the reserve is not held back for the next ones.
# file: src/store/file_size.c
# tests: full_disk small_disk
s/return store->may_use_reserve ? 0 : store->space.reserve_owed;/return 0 * store->space.reserve_owed;/

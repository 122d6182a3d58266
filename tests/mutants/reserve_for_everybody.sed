# Any transaction may use the reserve.
# file: src/store/file_size.c
# tests: full_disk
s/return space->file_pages + (store->may_use_reserve ? space->reserve_pages : 0);/return space->file_pages + space->reserve_pages;/
s/return store->may_use_reserve ? 0 : store->space.reserve_owed;/return 0 * store->space.reserve_owed;/

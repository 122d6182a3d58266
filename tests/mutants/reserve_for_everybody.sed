# Any transaction may use the reserve.
# file: src/store/file_size.c
# tests: full_disk reclaim
s/return space->file_pages + (store->may_use_reserve ? space->reserve_pages : 0);/return space->file_pages + space->reserve_pages;/

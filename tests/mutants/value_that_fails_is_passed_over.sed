# A cursor goes on behind an entry whose value could not be read.
# file: src/api/cursor.c
# tests: kept_error guarded_reads store_damage
/^static verso_err fail/,/^}/s/cursor->place = FAILED;/cursor->place = ON;/

# A cursor whose value could not be read goes on behind it.
# file: src/api/cursor.c
# tests: guarded_reads
s/^    cursor->place = FAILED;/    cursor->place = ON;/

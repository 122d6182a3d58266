# Pages are touched without being read by a call before.
# file: src/store/file_guard.c
# tests: guarded_reads
s/file != NULL \&\& done < size/file != NULL \&\& done < size \&\& false/

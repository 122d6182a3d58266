# A segment is used again though the metas need its frames.
# file: src/store/log.c
# tests: log checkpoint store_crash
s/uint64_t limit = lsn < durable ? lsn : durable;/uint64_t limit = durable;/

# A commit that changed nothing does not wait for what it has read.
# file: src/api/transaction.c
# tests: transaction
s/uint64_t end_lsn = store->tip_lsn;/uint64_t end_lsn = 0;/

# After a rollback pages die that live again.
# file: src/store/savepoint.c
# tests: savepoint savepoint_model txn_savepoint
s/writer->deaths.count = to->deaths;/(void)to->deaths;/

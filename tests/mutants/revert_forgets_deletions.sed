# A revert leaves keys that its root does not have.
# file: src/api/revert.c
# tests: revert
s/batch->delete\[batch->deletes++\] = key;/(void)key;/

# The fingerprint keeps the terms of a deleted range.
# file: src/tree/delete_range.c
# tests: delete_range
s/edit->fingerprint -= deletion.terms;/(void)deletion.terms;/

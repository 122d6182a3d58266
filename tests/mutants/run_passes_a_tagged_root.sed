# A run of roots to drop does not end before a tagged one.
# file: src/history/retention.c
# tests: retention tags store_model
s/return any \&\& protected < newest_from ? protected - 1 : newest_from - 1;/(void)any;\n    return newest_from - 1;/

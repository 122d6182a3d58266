# Of the versions that replay goes through only the last one stays.
# file: src/store/commit.c
# tests: store_open store_crash
/^static verso_err write_down/,/^}/s/^            drop_roots(store, commit);/&\n            if (commit->replaying \&\& store->tip.version > 0) {\n                (void)vs_retained_drop(\&store->retained, \&(struct vs_version_range){store->tip.version, store->tip.version}, 1);\n            }/

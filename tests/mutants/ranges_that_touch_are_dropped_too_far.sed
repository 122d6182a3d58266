# Dropping versions from a set takes the one behind them along.
# file: src/store/version_set.c
# tests: version_set
/^verso_err vs_version_set_drop_ranges/,/^}/s/range->from = gone->to + 1;/range->from = gone->to + 2;/

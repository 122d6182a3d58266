# Keeping the last n keeps n - 1.
# file: src/history/retention.c
# tests: retention store_model
s/retained->policy.last + 1, &leaving)/retained->policy.last, \&leaving)/

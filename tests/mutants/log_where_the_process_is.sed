# The log makes its files where the process has changed to.
# file: src/store/commit.c
# tests: files_in_use
s/\.path = store->log_path,/.path = store->path,/

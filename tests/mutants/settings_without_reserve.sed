# Tags and policies may not use what the log leaves for those who give space back.
# file: src/store/commit.c
# tests: full_disk
s/\.use_reserve = true, .* it may give space back .*$/.use_reserve = false,/

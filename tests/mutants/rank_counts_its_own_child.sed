# The rank of a key counts the subtree that it lies in.
# file: src/tree/count.c
# tests: count
s/vs_branch_keys_before(path.level\[level\].bytes, path.level\[level\].index);/vs_branch_keys_before(path.level[level].bytes, path.level[level].index + 1);/

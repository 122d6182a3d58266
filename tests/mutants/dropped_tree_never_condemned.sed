# The pages of a dropped tree are forgotten.
# file: src/tree/tree_set.c
# tests: trees store_model
s/err = vs_condemned_add(&set->catalogue, &root, broken);/err = VERSO_OK;/

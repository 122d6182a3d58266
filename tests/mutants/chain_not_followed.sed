# The leaves below a lost branch are given up.
# file: src/tree/remains.c
# tests: salvage
s/return read_stretch(walk, &stretch, next);/return read_stretch(walk, \&stretch, 0);/

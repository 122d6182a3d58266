# A death that something old keeps is not looked at again.
# file: src/store/reclaim.c
# tests: reclaim store_space store_model
s/parked->death\[parked->count++\] = \*death;/(void)parked;/

# What is being made has a name that others may give.
# file: src/store/new_file.c
# tests: new_file
s/"-wal\.new"/"-new"/

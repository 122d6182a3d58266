# What was read through the transaction itself is changed under the next change.
# file: src/api/change.c
# tests: transaction
s/    return slice\.size == 0 ||/    return true || slice.size == 0 ||/

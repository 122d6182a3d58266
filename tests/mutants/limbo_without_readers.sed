# Vacated frames are used again whoever holds their addresses.
# file: src/store/arena.c
# tests: arena interleave
s/    bool blocked = vs_reader_newest_before(.*);/    bool blocked = vs_reader_newest_before(arena->readers, 0, \&newest);/

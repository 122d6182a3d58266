# A frame is used again while an older reader may look at it.
# file: src/store/arena.c
# tests: arena readers store_threads
s/bool blocked = vs_reader_newest_before(arena->readers, batch->epoch, &newest);/bool blocked = false;/

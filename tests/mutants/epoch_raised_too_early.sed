# The location epoch is raised before the words of the moved pages are cleared.
# file: src/store/checkpoint.c
# tests: interleave
s/    if (checkpoint->moved_count == 0) {/    vs_reader_raise_epoch(\&store->readers, epoch);\n&/

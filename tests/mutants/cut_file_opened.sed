# A file shorter than what it says is opened.
# file: src/store/store_open.c
# tests: store_open
s/if (!store->config.salvaging \&\& meta->high_water/if (false \&\& meta->high_water/

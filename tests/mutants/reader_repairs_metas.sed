# A handle that only reads writes the metas before a replay.
# file: src/store/store_open.c
# tests: store_open read_only_media
s/return store->read_only || sound ?/return sound ?/

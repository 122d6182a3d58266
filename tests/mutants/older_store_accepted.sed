# An old copy of the store's file is opened beside a newer log.
# file: src/api/recovery.c
# tests: store_open
s/if (err == VERSO_OK && scan.highest_epoch > start.epoch) {/if (false) {/

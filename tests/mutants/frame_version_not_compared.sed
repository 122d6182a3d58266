# Replay takes whatever version a valid frame names.
# file: src/store/log_read.c
# tests: log number_limits distrust
s/if (frame->version != expected \&\& !passes_over_ids(follower, frame)) {/if (false) {/

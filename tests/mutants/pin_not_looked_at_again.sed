# A reader trusts a root that it pinned after reading.
# file: src/store/roots.c
# tests: interleave roots readers store_threads
s/if (atomic_load_explicit(&roots->sequence, memory_order_seq_cst) == sequence) {/if (true) {/

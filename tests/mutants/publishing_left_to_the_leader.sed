# A commit that another thread's sync has made durable before it became the tip stays unpublished.
# file: src/store/commit.c
# tests: interleave store_threads
s/    if (atomic_load_explicit(&store->durable, memory_order_acquire) >= version) {/    if (false) {/

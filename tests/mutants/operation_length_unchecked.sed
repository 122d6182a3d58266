# An operation may run beyond its frame.
# file: src/format/operation.c
# tests: operation
s/if (key_size + value_size > (uint64_t)(end - next)) {/if (false) {/

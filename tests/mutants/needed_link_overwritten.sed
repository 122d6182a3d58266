# A link that a kept version needs is overwritten.
# file: src/store/links.c
# tests: links tree_model
s/is_kept_between(writer, stamp, next_stamp(word, i, born, writer->version))) {/false) {/

# A tag that moves leaves its old root protected, and its new one not.
# file: src/store/tags.c
# tests: retained tags retention
/^verso_err vs_tags_set/,/^}/s/unlist_root(tags, tags->count, tags->tag\[at\]->root);/(void)at;/
/^verso_err vs_tags_set/,/^}/s/list_root(tags, tags->count - 1, root);/(void)root;/

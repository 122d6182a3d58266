# A store with a feature that must be understood is opened.
# file: src/format/meta.c
# tests: meta golden
s/ || vs_get_le32(bytes + MUST_AT) != 0) {/) {/

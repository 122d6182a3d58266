# A page used again keeps the links of its former life.
# file: src/store/page_writer.c
# tests: page_writer links tree_chain
s/vs_descriptor_set(descriptor, VS_WORD_LINK + i, VS_NO_LINK);/(void)i;/

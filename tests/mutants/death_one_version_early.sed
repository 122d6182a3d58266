# A page dies for the version before.
# file: src/store/page_writer.c
# tests: page_writer reclaim tree_model
s/err = vs_writer_set_word(writer, page, VS_WORD_DIED, writer->version);/err = vs_writer_set_word(writer, page, VS_WORD_DIED, writer->version - 1);/

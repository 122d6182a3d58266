# An abort leaves words of descriptors changed.
# file: src/store/page_writer.c
# tests: page_writer transaction tree_model
s/vs_descriptor_set(changed_before(writer, undo->page), undo->word, undo->before);/(void)undo;/

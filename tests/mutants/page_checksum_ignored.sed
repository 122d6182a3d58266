# A page from the file is believed.
# file: src/store/pages.c
# tests: pages store_damage
s/if (vs_page_checksum(page, born, found, pages->page_size) != vs_descriptor_crc(descriptor)) {/if (false) {/

# Pages beyond the end of a file that was cut are touched.
# file: src/store/pages.c
# tests: pages
/if (at + pages->page_size >$/{N;s/.*/    if (false) {/;}

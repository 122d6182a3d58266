/*
 * copy_table.c - the page table of a copy: descriptors, blocks, directory pages, top pages.
 *
 * A descriptor keeps its birth, so that pages and links keep theirs. What the source says of
 * versions after the newest chosen root is left out:
 *
 *     died     as in the source where that is not after the newest chosen root, else alive
 *     links    those that a chosen root follows, to the pages' new numbers
 *
 * Only copies A are written: nothing names the others yet.
 */
#include <stdlib.h>
#include <string.h>

#include "format/checksum.h"
#include "history/copy_parts.h"
#include "os/fault.h"
#include "store/page_table.h"

static uint64_t chosen(const struct vs_copy *copy, size_t index)
{
    return copy->roots->root[index].record.version;
}

static uint64_t newest_chosen(const struct vs_copy *copy)
{
    return chosen(copy, copy->roots->count - 1);
}

/* Does a chosen root lie in [from, until)? */
static bool is_chosen_between(const struct vs_copy *copy, uint64_t from, uint64_t until)
{
    size_t low = 0;
    size_t high = copy->roots->count; /* the first at or after `from` is in [low, high] */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (chosen(copy, middle) < from) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < copy->roots->count && chosen(copy, low) < until;
}

/* ---- descriptors ---- */

/* The stamp after that of a link, or the end of the leaf's life. */
static uint64_t next_stamp(const struct vs_descriptor *leaf, uint64_t stamp, uint64_t died)
{
    uint64_t born = vs_descriptor_born(leaf);
    uint64_t next = died;
    for (unsigned i = 0; i < VS_LINKS; i++) {
        uint64_t word = vs_descriptor_word(leaf, VS_WORD_LINK + i);
        if (word != VS_NO_LINK && vs_link_version(word, born) > stamp &&
            vs_link_version(word, born) < next) {
            next = vs_link_version(word, born);
        }
    }
    return next;
}

/* A link as the copy has it; none if no chosen root follows it. Where a chosen root has a leaf on
   its list of dropped trees, which is not copied, the leaf before it has nothing to link to. */
static uint64_t copy_link(const struct vs_copy *copy, const struct vs_descriptor *leaf,
                          uint64_t word)
{
    if (word == VS_NO_LINK) {
        return VS_NO_LINK;
    }
    uint64_t born = vs_descriptor_born(leaf);
    uint64_t stamp = vs_link_version(word, born);
    vs_page_no next = vs_link_page(word);
    vs_page_no number = vs_copy_number(copy, next);
    bool followed =
        is_chosen_between(copy, stamp, next_stamp(leaf, stamp, vs_descriptor_died(leaf)));
    return followed && (next == 0 || number != 0) ? vs_link_word(stamp, born, number) : VS_NO_LINK;
}

/* A look at a descriptor that the writer may be changing: word by word, since what a chosen root
   needs stays where it is. */
static verso_err read_descriptor(const struct vs_copy *copy, vs_page_no page,
                                 struct vs_descriptor *seen)
{
    const struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_get(copy->pages->table, page, &descriptor);
    for (unsigned i = 0; i < VS_WORD_LINK + VS_LINKS && err == VERSO_OK; i++) {
        vs_descriptor_set(seen, i, vs_descriptor_word(descriptor, i));
    }
    return err;
}

static verso_err describe_copied(const struct vs_copy *copy, vs_page_no page,
                                 struct vs_descriptor *descriptor)
{
    const struct vs_copied_page *copied = &copy->file.page[page];
    struct vs_descriptor source;
    verso_err err = read_descriptor(copy, copied->origin, &source);
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t newest = newest_chosen(copy);
    uint64_t died = vs_descriptor_died(&source);
    died = died <= newest ? died : copied->ended ? newest : VS_ALIVE;
    vs_descriptor_set(descriptor, VS_WORD_BORN, vs_descriptor_born(&source));
    vs_descriptor_set(descriptor, VS_WORD_DIED, died);
    vs_descriptor_set(descriptor, VS_WORD_KIND,
                      vs_kind_word(vs_descriptor_kind(&source), copied->crc));
    for (unsigned i = 0; i < VS_LINKS; i++) {
        uint64_t word = vs_descriptor_word(&source, VS_WORD_LINK + i);
        vs_descriptor_set(descriptor, VS_WORD_LINK + i, copy_link(copy, &source, word));
    }
    return VERSO_OK;
}

static void describe_made(const struct vs_made_page *made, struct vs_descriptor *descriptor)
{
    bool is_leaf = made->kind == VS_KIND_LEAF;
    vs_descriptor_set(descriptor, VS_WORD_BORN, VS_COPY_GENERATION);
    vs_descriptor_set(descriptor, VS_WORD_DIED, VS_ALIVE);
    vs_descriptor_set(descriptor, VS_WORD_KIND,
                      vs_kind_word(made->kind | VS_CLOCK_HISTORY, made->crc));
    for (unsigned i = 0; i < VS_LINKS; i++) {
        bool has_link = is_leaf && i == 0;
        vs_descriptor_set(descriptor, VS_WORD_LINK + i,
                          has_link
                              ? vs_link_word(VS_COPY_GENERATION, VS_COPY_GENERATION, made->next)
                              : VS_NO_LINK);
    }
}

/* ---- blocks ---- */

static int by_page(const void *left, const void *right)
{
    const struct vs_made_page *a = left;
    const struct vs_made_page *b = right;
    return (a->page > b->page) - (a->page < b->page);
}

/* Write a part where its copy A lies. *entry: vouches for it. */
static verso_err write_part(struct vs_copy *copy, uint64_t at, const uint8_t *bytes,
                            uint64_t *entry)
{
    *entry = vs_entry(vs_crc32c(0, bytes, VS_PART_BYTES), VS_COPY_GENERATION, 0);
    return vs_copy_file_write_part(&copy->file, at, bytes);
}

/* One block. *made: index of the first made page from this block on; moves behind those of it. */
static verso_err write_block(struct vs_copy *copy, uint32_t block, size_t *made, uint64_t *entry)
{
    _Alignas(struct vs_descriptor) uint8_t bytes[VS_PART_BYTES] = {0};
    struct vs_descriptor *descriptors = (struct vs_descriptor *)(void *)bytes;
    bool used = false;
    for (unsigned i = 0; i < VS_BLOCK_PAGES; i++) {
        uint64_t page = (uint64_t)block * VS_BLOCK_PAGES + i;
        verso_err err = VERSO_OK;
        if (page < copy->file.page_capacity && copy->file.page[page].origin != 0) {
            err = describe_copied(copy, (vs_page_no)page, &descriptors[i]);
        } else if (*made < copy->file.made_count && copy->file.made[*made].page == page) {
            describe_made(&copy->file.made[(*made)++], &descriptors[i]);
        } else {
            continue;
        }
        used = true;
        if (err != VERSO_OK) {
            return err;
        }
    }
    uint64_t at = vs_layout_block_at(copy->file.page_size, block, 0);
    return used ? write_part(copy, at, bytes, entry) : VERSO_OK;
}

/* ---- directory pages and top pages ---- */

/* Write a part for each 512 entries that are not all empty; the parts' entries take their place. */
static verso_err write_level(struct vs_copy *copy, uint64_t *entries, size_t *count,
                             uint64_t (*part_at)(size_t page_size, uint32_t part, unsigned copy))
{
    size_t parts = *count / VS_DIRECTORY_ENTRIES;
    for (size_t part = 0; part < parts; part++) {
        const uint64_t *of_part = entries + part * VS_DIRECTORY_ENTRIES;
        uint8_t bytes[VS_PART_BYTES];
        uint64_t any = 0;
        for (unsigned i = 0; i < VS_DIRECTORY_ENTRIES; i++) {
            vs_put_le64(bytes + (size_t)i * 8, of_part[i]);
            any |= of_part[i];
        }
        uint64_t entry = 0;
        uint64_t at = part_at(copy->file.page_size, (uint32_t)part, 0);
        verso_err err = any != 0 ? write_part(copy, at, bytes, &entry) : VERSO_OK;
        if (err != VERSO_OK) {
            return err;
        }
        entries[part] = entry;
    }
    /* up to a whole part of the level above */
    *count = (parts + VS_DIRECTORY_ENTRIES - 1) / VS_DIRECTORY_ENTRIES * VS_DIRECTORY_ENTRIES;
    for (size_t i = parts; i < *count; i++) {
        entries[i] = 0;
    }
    return VERSO_OK;
}

static verso_err write_levels(struct vs_copy *copy, uint64_t *entries, size_t count)
{
    size_t made = 0;
    uint64_t blocks = (copy->file.next + VS_BLOCK_PAGES - 1) / VS_BLOCK_PAGES;
    verso_err err = VERSO_OK;
    for (uint64_t block = 0; block < blocks && err == VERSO_OK; block++) {
        err = write_block(copy, (uint32_t)block, &made, &entries[block]);
    }
    if (err == VERSO_OK) {
        err = write_level(copy, entries, &count, vs_layout_directory_at);
    }
    return err == VERSO_OK ? write_level(copy, entries, &count, vs_layout_top_at) : err;
}

verso_err vs_copy_table(struct vs_copy *copy, uint64_t top[VS_TOPS_MAX])
{
    if (copy->file.made_count > 0) {
        qsort(copy->file.made, copy->file.made_count, sizeof *copy->file.made, by_page);
    }
    uint64_t blocks = (copy->file.next + VS_BLOCK_PAGES - 1) / VS_BLOCK_PAGES;
    size_t count = (size_t)(blocks / VS_DIRECTORY_ENTRIES + 1) * VS_DIRECTORY_ENTRIES;
    uint64_t *entries = calloc(count, sizeof *entries);
    if (entries == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a copy");
    }
    verso_err err = write_levels(copy, entries, count);
    memset(top, 0, VS_TOPS_MAX * sizeof *top);
    size_t tops = (size_t)(copy->file.next / VS_TOP_PAGES) + 1;
    memcpy(top, entries, tops * sizeof *top);
    free(entries);
    return err;
}

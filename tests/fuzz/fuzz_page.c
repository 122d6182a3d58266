/*
 * fuzz_page.c - hostile leaves and branches: what the checks let pass can be read, edited, cut and
 * written anew.
 *
 * An input is a byte that says the page size, a few from which the edits are drawn (page_script.h),
 * and the page; zeros follow where it is short.
 */
#include <stdlib.h>
#include <string.h>

#include "format/branch.h"
#include "format/byte_order.h"
#include "format/leaf.h"
#include "fuzz_target.h"
#include "page_mutation.h"
#include "page_script.h"

enum { HEADER_SIZE = 1 + SCRIPT_SIZE };

static size_t page_size_of(uint8_t choices)
{
    return (size_t)VS_PAGE_SIZE_MIN << choices % 4; /* to PAGE_BYTES_MAX */
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct page_script script;
    if (size < HEADER_SIZE) {
        return 0;
    }
    size_t page_size = page_size_of(data[0]);
    uint8_t *page = calloc(1, page_size); /* on the heap, so that a sanitiser sees its ends */
    if (page == NULL) {
        abort();
    }
    memcpy(page, data + HEADER_SIZE, least(size - HEADER_SIZE, page_size));
    script.random.state = vs_get_le64(data + 1);
    if (vs_leaf_check(page, page_size) == NULL) {
        page_use_leaf(page, page_size, &script);
    } else if (vs_branch_check(page, page_size) == NULL) {
        page_use_branch(page, page_size, &script);
    }
    free(page);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static uint8_t page[PAGE_BYTES_MAX];
    if (size < HEADER_SIZE || max_size < HEADER_SIZE + PAGE_BYTES_MAX) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    if (seed % 8 == 0) {
        (void)LLVMFuzzerMutate(data + 1, SCRIPT_SIZE, SCRIPT_SIZE);
        return size;
    }
    size_t page_size = page_size_of(data[0]);
    memset(page, 0, page_size);
    memcpy(page, data + HEADER_SIZE, least(size - HEADER_SIZE, page_size));
    page_mutate(page, page_size, seed);
    memcpy(data + HEADER_SIZE, page, page_size);
    return HEADER_SIZE + page_size;
}

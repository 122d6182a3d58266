/*
 * elements.c - arrays of the caller's structs, which may be shorter or longer than this library's.
 */
#include "api/handles.h"
#include "os/fault.h"

enum { SIZE_MAX_OF_STRUCT = 4096 };

verso_err vs_check_elements(void *array, size_t count, size_t least, const char *call)
{
    for (size_t i = 0; i < count; i++) {
        size_t first;
        size_t size;
        memcpy(&first, array, sizeof first);
        if (first < least || first > SIZE_MAX_OF_STRUCT) {
            return vs_fault(VERSO_INVALID, "%s: `size` of the first entry is %zu", call, first);
        }
        memcpy(&size, vs_element(array, i), sizeof size);
        if (size != first) {
            return vs_fault(VERSO_INVALID, "%s: `size` of entry %zu is %zu, of the first %zu", call,
                            i, size, first);
        }
    }
    return VERSO_OK;
}

/*
 * name.h - what may name a tree or a tag: 1 to VERSO_NAME_MAX bytes, none of them 0.
 */
#ifndef VERSO_FORMAT_NAME_H
#define VERSO_FORMAT_NAME_H

#include <stdbool.h>
#include <string.h>

#include "verso.h"

static inline bool vs_name_is_sound(verso_slice name)
{
    return name.data != NULL && name.size >= 1 && name.size <= VERSO_NAME_MAX &&
           memchr(name.data, 0, name.size) == NULL;
}

#endif

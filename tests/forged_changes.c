/*
 * forged_changes.c - the table.
 */
#include "forged_changes.h"

enum { LONG_KEY = 3000, TREE = 1, NO_TREE = 99 };

static const char long_key[LONG_KEY];

#define TEXT(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

const struct forged_change forged_changes[] = {
    {"a key deleted that is not there", {.kind = VS_OPERATION_DELETE, .key = TEXT("absent")}},
    {"a key too long",
     {.kind = VS_OPERATION_PUT, .key = {long_key, LONG_KEY}, .value = TEXT("value")}},
    {"a range without keys",
     {.kind = VS_OPERATION_DELETE_RANGE, .number = {0, VS_RANGE_HAS_FROM}, .key = TEXT("zzz")}},
    {"a change of no tree",
     {.kind = VS_OPERATION_PUT, .number = {NO_TREE}, .key = TEXT("a"), .value = TEXT("b")}},
    {"a tree without a number", {.kind = VS_OPERATION_CREATE_TREE, .key = TEXT("new")}},
    {"a tree without a name", {.kind = VS_OPERATION_CREATE_TREE, .number = {7}}},
    {"a tree created twice",
     {.kind = VS_OPERATION_CREATE_TREE, .number = {7}, .key = TEXT("tree")}},
    {"no tree dropped", {.kind = VS_OPERATION_DROP_TREE, .number = {NO_TREE}}},
    {"no tree renamed",
     {.kind = VS_OPERATION_RENAME_TREE, .number = {NO_TREE}, .key = TEXT("name")}},
    {"a tree renamed to nothing", {.kind = VS_OPERATION_RENAME_TREE, .number = {TREE}}},
    {"another fingerprint", {.kind = VS_OPERATION_PUT, .key = TEXT("a"), .value = TEXT("b")}},
};
const size_t forged_change_count = sizeof forged_changes / sizeof forged_changes[0];

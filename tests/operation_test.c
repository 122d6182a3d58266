/*
 * operation_test.c - operations of a log frame: round trips, and bytes that are none.
 */
#include "format/operation.h"

#include <criterion/criterion.h>
#include <string.h>

#include "operation_bytes.h"

enum { ROOM = 4096 };

static size_t encode(const struct vs_operation *operation, uint8_t *bytes)
{
    uint8_t header[VS_OPERATION_HEADER_MAX];
    cr_assert_leq(vs_operation_header(operation, header), sizeof header);
    return operation_bytes(operation, bytes);
}

static bool same_bytes(verso_slice a, verso_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static void check_round_trip(const struct vs_operation *operation)
{
    uint8_t bytes[ROOM];
    size_t size = encode(operation, bytes);
    const uint8_t *at = bytes;
    struct vs_operation decoded;
    const char *fault = vs_operation_decode(&at, bytes + size, &decoded);
    cr_assert_null(fault);
    cr_assert_eq(at, bytes + size);
    cr_assert_eq(decoded.kind, operation->kind);
    cr_assert_eq(decoded.number[0], operation->number[0]);
    cr_assert_eq(decoded.number[1], operation->number[1]);
    cr_assert(same_bytes(decoded.key, operation->key));
    cr_assert(same_bytes(decoded.value, operation->value));
}

Test(operation, comes_back_as_it_was_written)
{
    static uint8_t filler[2000];
    static const uint64_t trees[] = {0, 1, 127, 128, UINT32_MAX, UINT64_MAX};
    static const size_t sizes[] = {0, 1, 16, 127, 128, 1000};
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            struct vs_operation operation = {
                VS_OPERATION_PUT, {trees[i]}, {filler, sizes[j]}, {filler, sizes[5 - j]}};
            check_round_trip(&operation);
            operation.kind = VS_OPERATION_DELETE;
            operation.value.size = 0;
            check_round_trip(&operation);
        }
    }
}

Test(operation, of_every_kind_comes_back)
{
    const verso_slice name = {"name", 4};
    const verso_slice other = {"other", 5};
    const verso_slice none = {NULL, 0};
    const struct vs_operation operations[] = {
        {VS_OPERATION_DELETE_RANGE, {1, VS_RANGE_HAS_FROM | VS_RANGE_HAS_TO}, name, other},
        {VS_OPERATION_CREATE_TREE, {2}, name, none},
        {VS_OPERATION_DROP_TREE, {2}, none, none},
        {VS_OPERATION_RENAME_TREE, {2}, other, none},
        {VS_OPERATION_DROP_ROOTS, {17, UINT64_MAX}, none, none},
        {VS_OPERATION_SET_RETENTION, {0}, none, other},
        {VS_OPERATION_SET_TAG, {3, 1700000000000000}, name, none},
        {VS_OPERATION_DELETE_TAG, {0}, name, none},
    };
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        check_round_trip(&operations[i]);
    }
}

Test(operation, a_range_may_lack_either_bound)
{
    const verso_slice some = {"some", 4};
    const verso_slice none = {NULL, 0};
    const struct vs_operation operations[] = {
        {VS_OPERATION_DELETE_RANGE, {0, 0}, none, none},
        {VS_OPERATION_DELETE_RANGE, {0, VS_RANGE_HAS_FROM}, some, none},
        {VS_OPERATION_DELETE_RANGE, {0, VS_RANGE_HAS_FROM}, none, none},
        {VS_OPERATION_DELETE_RANGE, {0, VS_RANGE_HAS_TO}, none, some},
        {VS_OPERATION_DELETE_RANGE, {0, VS_RANGE_HAS_FROM | VS_RANGE_HAS_TO}, none, some},
    };
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        check_round_trip(&operations[i]);
    }
}

Test(operation, follows_another_without_a_gap)
{
    uint8_t bytes[ROOM];
    struct vs_operation put = {VS_OPERATION_PUT, {0}, verso_text("key"), verso_text("value")};
    struct vs_operation cut = {VS_OPERATION_DELETE, {7}, verso_text("gone"), {NULL, 0}};
    size_t size = encode(&put, bytes);
    size += encode(&cut, bytes + size);
    const uint8_t *at = bytes;
    struct vs_operation decoded;
    cr_assert_null(vs_operation_decode(&at, bytes + size, &decoded));
    cr_assert_eq(decoded.kind, VS_OPERATION_PUT);
    cr_assert_null(vs_operation_decode(&at, bytes + size, &decoded));
    cr_assert_eq(decoded.kind, VS_OPERATION_DELETE);
    cr_assert_eq(at, bytes + size);
    cr_assert_not_null(vs_operation_decode(&at, bytes + size, &decoded));
}

Test(operation, cut_short_anywhere_is_refused)
{
    uint8_t bytes[ROOM];
    struct vs_operation put = {VS_OPERATION_PUT, {300}, verso_text("key"), verso_text("value")};
    size_t size = encode(&put, bytes);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *exact = malloc(cut + 1); /* so that the address sanitiser sees a read too far */
        cr_assert_not_null(exact);
        memcpy(exact, bytes, cut);
        const uint8_t *at = exact;
        struct vs_operation decoded;
        cr_assert_not_null(vs_operation_decode(&at, exact + cut, &decoded), "cut=%zu", cut);
        cr_assert_eq(at, exact);
        free(exact);
    }
}

Test(operation, absurd_bytes_are_refused)
{
    static const struct {
        const char *bytes;
        size_t size;
    } absurd[] = {
        {"\x00\x00\x00\x00", 4},                                      /* no kind */
        {"\x0B\x00\x00\x00", 4},                                      /* unknown kind */
        {"\x01\x80\x00\x00\x00", 5},                                  /* not the shortest form */
        {"\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02\x00\x00", 13}, /* a 65th bit */
        {"\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x81\x00\x00\x00", 14}, /* eleven bytes */
        {"\x02\x00\xFF\xFF\xFF\xFF\x0F", 7},                              /* key of 4 GiB */
        {"\x02\x00\xFF\xFF\xFF\xFF\x1F", 7},                              /* beyond 32 bits */
        {"\x01\x00\x01\xFF\xFF\xFF\xFF\x0Fk", 9},                         /* value of 4 GiB */
        {"\x01\x00\x01\x01k", 5},                                         /* one byte short */
        {"\x03\x00\x04\x00\x00", 5},                                      /* unknown bound */
        {"\x03\x00\x02\x01\x01kl", 7}, /* a lower bound that is not there */
        {"\x03\x00\x01\x01\x01kl", 7}, /* an upper one */
        {"\x03\x00\x03\x01\x01kk", 7}, /* nothing between them */
        {"\x03\x00\x03\x01\x01lk", 7}, /* the wrong way round */
    };
    for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) {
        uint8_t *exact = malloc(absurd[i].size);
        cr_assert_not_null(exact);
        memcpy(exact, absurd[i].bytes, absurd[i].size);
        const uint8_t *at = exact;
        struct vs_operation decoded;
        cr_assert_not_null(vs_operation_decode(&at, exact + absurd[i].size, &decoded), "row %zu",
                           i);
        free(exact);
    }
}

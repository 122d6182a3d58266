#!/bin/sh
# cli_trees_test.sh - named trees from outside: every verb that takes --tree, and trees itself.
#
# Usage: sh tests/cli_trees_test.sh VERSO [FOLDER]    see cli_asserts.sh
. "$(dirname "$0")/cli_asserts.sh"

about "each tree has keys of its own"
run put store key plain
ends_with 0
run put store key sweet --tree fruit
prints 'root 2'
run_with 'a\t1\nb\t2\nc\t3\n' load store --tree 'roots\tand more' --batch 2
ends_with 0
prints_like '^root 4: loaded 3 entries'
run get store key
prints plain
run get store key --tree fruit
prints sweet
run scan store --tree 'roots\tand more'
prints "$(lines_of 'a\t1' 'b\t2' 'c\t3')"
run scan store --tree 'roots\tand more' --root 3
prints "$(lines_of 'a\t1' 'b\t2')"
run scan store --tree 'roots\tand more' --count
prints 3
run count store --tree fruit
prints 1
run nth store 2 --tree 'roots\tand more'
prints "c${tab}3"
run rank store c --tree 'roots\tand more'
prints 2
run history store key --tree fruit
prints_like "^2${tab}.*${tab}put${tab}sweet\$"
holds "one value" "$(wc -l <out)" -eq 1
run diff store 3 4 --tree 'roots\tand more'
prints "+c${tab}3"
run diff store 3 4
prints ''
run diff store 1 2 --tree fruit
ends_with 0
prints "+key${tab}sweet"
run diff store 2 1 --tree fruit
ends_with 0
prints "-key${tab}sweet"
run diff store 1 4 --tree nowhere
ends_with 1
says "store: tree 'nowhere': not found"

about "trees are listed"
run trees store
ends_with 0
holds "names and keys" "$(cut -f 1,2,4 out | tr '\t\n' '  ')" = 'fruit 1 1 roots\tand more 3 1 '
run trees store --root 1
ends_with 0
prints ''
run trees store --root 2
prints_like "^fruit${tab}1${tab}[0-9a-f]\{16\}${tab}1\$"

about "rename and drop"
run trees store --rename fruit berries
ends_with 0
prints 'root 5'
run get store key --tree berries
prints sweet
run get store key --tree fruit
ends_with 1
says "store: tree 'fruit': not found"
run get store key --tree fruit --root 4
prints sweet
run trees store --rename berries 'roots\tand more'
ends_with 3
says "tree 'berries'.*exists\|there"
run trees store --drop berries --note 'eaten'
prints 'root 6'
run trees store
holds "one is left" "$(wc -l <out)" -eq 1
run trees store --drop berries
ends_with 1
says "tree 'berries': not found"
run roots store
prints_like "^6${tab}.*${tab}eaten\$"
run del store b --tree 'roots\tand more'
prints 'root 7'
run del store b --tree 'roots\tand more'
ends_with 1
run revert store 4 --tree 'roots\tand more'
prints 'root 8: 1 changes'
run revert store 5 --tree berries
prints 'root 9: 1 changes'
run get store key --tree berries
prints sweet
run check store
ends_with 0

about "revert without a tree reverts all of them"
fingerprint()
{
    "$verso" roots store | awk -F "$tab" -v root="$1" '$1 == root { print $4 }'
}
run trees store --drop berries
prints 'root 10'
run put store key bitter --tree spices
prints 'root 11'
run revert store 4 --prefix none
prints 'root 11: 0 changes'
run revert store 4
ends_with 0
prints_like '^root 12: '
holds "the fingerprint shows it" "$(fingerprint 12)" = "$(fingerprint 4)"
run trees store
holds "dropped ones are back, later ones gone" "$(cut -f 1 out | tr '\n' ' ')" = 'fruit roots\tand more '
run get store key --tree fruit
prints sweet
run get store key --tree spices --root 11
prints bitter
run revert store 12
prints 'root 12: 0 changes'
run check store
ends_with 0

about "trees that are not there"
for words in 'get store key' 'scan store' 'count store' 'nth store 0' 'rank store key' 'del store key' \
    'diff store 1 2' 'history store key' 'revert store 1'; do
    # shellcheck disable=SC2086
    run $words --tree none
    ends_with 1
    says "store: tree 'none': not found"
done

about "called wrongly"
long_name=$(awk 'BEGIN { while (i++ < 256) printf "n" }')
for verb in 'put store k v' 'get store k' 'load store'; do
    # shellcheck disable=SC2086
    run $verb --tree ''
    ends_with 2
    says '^verso: --tree: a name has 1 to 255 bytes, not 0'
    # shellcheck disable=SC2086
    run $verb --tree "$long_name"
    ends_with 2
    says 'not 256'
    # shellcheck disable=SC2086
    run $verb --tree 'a\x00b'
    ends_with 2
    says '^verso: --tree: a name has no byte'
done
run trees store --rename a
ends_with 2
says '--rename OLD needs NEW'
run trees store a
ends_with 2
says 'only --rename'
run trees store --rename a ''
ends_with 2
says 'NEW: a name has'
run trees store --drop a --rename b c
ends_with 2
says 'one at a time'
run trees store --drop a --root 1
ends_with 2

finish

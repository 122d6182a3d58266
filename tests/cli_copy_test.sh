#!/bin/sh
# cli_copy_test.sh - backup, apply and compact from outside.
#
# Usage: sh tests/cli_copy_test.sh VERSO [FOLDER]    see cli_asserts.sh
. "$(dirname "$0")/cli_asserts.sh"

awk 'BEGIN { for (i = 0; i < 1000; i++) printf "k%03d\t%d\n", i, i }' >thousand.tsv
"$verso" load store thousand.tsv --batch 100 >out

# same_roots A B [FIRST [LAST]]: both list the same roots, those from FIRST to LAST.
same_roots()
{
    for listed in "$1" "$2"; do
        "$verso" roots "$listed" | awk -v first="${3:-1}" -v last="${4:-999999}" \
            '$1 >= first && $1 <= last' >"$listed.roots"
    done
    cmp -s "$1.roots" "$2.roots" || failed "$1 and $2 list different roots"
}

# ids STORE: the numbers of its roots in one line.
ids()
{
    "$verso" roots "$1" | cut -f 1 | tr '\n' ' '
}

about "backup"
run backup store copy
ends_with 0
is_silent
prints_like '^copy: newest root 10, 10 roots, [0-9]* pages, [0-9]* bytes$'
same_roots store copy
run check copy
ends_with 0
run get copy k450 --root 5
prints 450
run scan copy
cmp -s out thousand.tsv || failed "the copy has another content"
run backup store newest --newest
ends_with 0
prints_like '^newest: newest root 10, 1 roots'
same_roots store newest 10
holds "one root" "$(ids newest)" = "10 "
run put copy more value
prints "root 11"

about "compact"
run compact store chosen --roots 8,2-4,3
ends_with 0
holds "the chosen ones and the newest" "$(ids chosen)" = "2 3 4 8 10 "
same_roots store chosen 2 4
run check chosen
ends_with 0
run compact store all
ends_with 0
same_roots store all
run compact store one --newest
holds "one root" "$(ids one)" = "10 "
run compact chosen again --roots 3-9
ends_with 0
holds "those of the range that are kept" "$(ids again)" = "3 4 8 10 "

about "increments"
cp store grown
run backup store older
"$verso" put grown k500 new --note 'after the copy' >out
"$verso" del grown --from k100 --to k200 >out
"$verso" put grown key value --tree named >out
run backup grown since10 --since 10
ends_with 0
is_silent
prints_like '^since10: newest root 13, 3 roots, '
run apply older since10
ends_with 0
prints 'root 13: 3 roots applied'
same_roots grown older
run get older key --tree named
prints value
run check older
ends_with 0
"$verso" tag grown eleven 11 >out
run backup grown since11 --since tag:eleven
prints_like '^since11: newest root 13, 2 roots, '
cp store before
run apply store since11
ends_with 3
says 'store: apply since11'
cmp -s store before || failed "the store was changed"
"$verso" put other key value >out
run apply other since10
ends_with 3
says 'other: apply since10.*'
run apply store store
ends_with 3
run apply store many_no_file
ends_with 3
says many_no_file
printf 'no increment' >text
run apply store text
ends_with 3
says 'apply text'
run backup grown since10 --since 10
ends_with 3
says since10
run backup grown since99 --since 99
ends_with 1
says 'root 99'
run backup grown since99 --since 1x
ends_with 2
says '--since takes a whole number'
run backup grown since99 --since 1 --newest
ends_with 2
says '--newest and --since exclude each other'
run apply store
ends_with 2
says 'apply needs INCREMENT'
holds "nothing was created" ! -e since99

about "what is in the way"
cp store before
run backup store copy
ends_with 3
says 'copy'
run backup store store
ends_with 3
says 'store'
cmp -s store before || failed "the store was changed"
run backup store no/such/folder
ends_with 3
says 'no/such/folder'
run backup nowhere dest
ends_with 3
says nowhere
holds "nothing was created" ! -e dest

about "roots that are not there"
for roots in 11 3,99 11-20 0; do
    run compact store dest --roots "$roots"
    ends_with 1
    says 'store: .*root'
    holds "nothing was created" ! -e dest
done
run compact chosen dest --roots 5
ends_with 1
says 'root 5'

about "called wrongly"
for wrong in '' 1,,2 x 1-x -1 3-1 1- 1-2-3; do
    run compact store dest --roots "$wrong"
    ends_with 2
    says '^verso: --roots'
done
run compact store dest --roots 1 --newest
ends_with 2
says '--newest and --roots exclude each other'
for verb in backup compact; do
    run $verb store
    ends_with 2
    says "$verb needs DEST"
done
holds "nothing was created" ! -e dest

finish

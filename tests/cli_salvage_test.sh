#!/bin/sh
# cli_salvage_test.sh - salvage from outside.
#
# Usage: sh tests/cli_salvage_test.sh VERSO [FOLDER]    see cli_asserts.sh
. "$(dirname "$0")/cli_asserts.sh"

awk 'BEGIN { for (i = 0; i < 10000; i++) printf "k%04d\tvalue of %d\n", i, i }' >many.tsv
"$verso" load store many.tsv >out
"$verso" put store key value --tree named >out

# damage FILE BYTE: write eight bytes of nonsense there.
damage()
{
    printf 'NONSENSE' | dd of="$1" bs=1 seek="$2" conv=notrunc 2>dd.err
}

about "a sound store"
cp store before
run salvage store new
ends_with 0
is_silent
prints_like '^new: root 2, 10001 keys, 1 named trees, 0 commits of the log, whole$'
cmp -s store before || failed "the store was changed"
"$verso" scan new >out
cmp -s out many.tsv || failed "another content"
"$verso" roots store | tail -n 1 | cut -f 4 >fingerprint
"$verso" roots new | tail -n 1 | cut -f 4 | cmp -s - fingerprint || failed "another fingerprint"
run get new key --tree named
prints value
run check new
ends_with 0

about "a damaged leaf"
at=$(grep -abo 'value of 5000' store | head -n 1 | cut -d : -f 1)
cp store damaged
damage damaged "$at"
run scan damaged
ends_with 3
run check damaged
ends_with 1
cp damaged before
run salvage damaged saved
ends_with 1
says 'verso: damaged: damaged: 1 ranges of keys are lost, at least [0-9]* keys'
prints_like "^lost${tab}${tab}k[0-9]*${tab}k[0-9]*${tab}[0-9]*${tab}[0-9]*${tab}page [0-9]* (leaf): checksum"
cmp -s damaged before || failed "the damaged store was changed"
lost=$(grep '^lost' out | cut -f 5)
from=$(grep '^lost' out | cut -f 3)
to=$(grep '^lost' out | cut -f 4)
"$verso" count store --from "$from" --to "$to" >counted
holds "the range has as many keys as are missing" "$(cat counted)" -eq "$lost"
"$verso" scan saved >out
awk -v from="$from" -v to="$to" '!($1 >= from && $1 < to)' many.tsv | cmp -s - out ||
    failed "something else than what was reported is missing"
run check saved
ends_with 0

about "what cannot be"
run salvage store new
ends_with 3
says 'new'
run salvage nothing fresh
ends_with 3
says 'nothing'
cp store bare
damage bare 16
run salvage bare half
ends_with 0
damage bare 65552
run salvage bare fresh
ends_with 3
says 'both meta pages are damaged'
run salvage many.tsv fresh
ends_with 3
says 'not a Verso store'
run salvage store
ends_with 2
run salvage
ends_with 2
run salvage store fresh more
ends_with 2
holds "nothing is left" ! -e fresh

finish

#!/bin/sh
# cli_history_test.sh - diff, history and revert from outside.
#
# Usage: sh tests/cli_history_test.sh VERSO [FOLDER]    see cli_asserts.sh
. "$(dirname "$0")/cli_asserts.sh"

"$verso" put store apple red --note first >out # root 1
"$verso" put store banana yellow >out          # root 2
"$verso" put store apple green >out            # root 3
"$verso" del store banana --note 'it\tis gone' >out
"$verso" put store 'tab\tkey' '\x00' >out # root 5

# fingerprint ROOT: as listed.
fingerprint()
{
    "$verso" roots store | awk -F "$tab" -v root="$1" '$1 == root { print $4 }'
}

about "diff"
run diff store 1 2
ends_with 0
prints "+banana${tab}yellow"
is_silent
run diff store 2 1
prints "-banana${tab}yellow"
run diff store 2 5
prints "$(printf '%s\n' "~apple${tab}red${tab}green" "-banana${tab}yellow" "+tab\\tkey${tab}\\x00")"
run diff store 5 2
prints "$(printf '%s\n' "~apple${tab}green${tab}red" "+banana${tab}yellow" "-tab\\tkey${tab}\\x00")"
run diff store 2 5 --from b --to c
prints "-banana${tab}yellow"
run diff store 2 5 --prefix tab
prints "+tab\\tkey${tab}\\x00"
run diff store 3 3
ends_with 0
prints ''
run diff store 2 5 --summary
ends_with 0
prints_like "^added${tab}1\$"
prints_like "^removed${tab}1\$"
prints_like "^changed${tab}1\$"
prints_like "^pages_visited${tab}2\$"
run diff store 1 9
ends_with 1
says 'store: root 9'
run diff store 1
ends_with 2
says 'diff needs B'
for wrong in x '' -1; do
    run diff store 1 "$wrong"
    ends_with 2
    says "B '$wrong': a root is"
done
run diff store 1x 2
ends_with 2
says "A takes a whole number.*'1x'"

about "a difference of ten keys visits few pages"
awk 'BEGIN { for (i = 0; i < 50000; i++) printf "key %06d\tvalue %d\n", i, i }' >many.tsv
awk 'BEGIN { for (i = 0; i < 10; i++) printf "key %06d\tother\n", i * 4999 }' >ten.tsv
"$verso" load many many.tsv >out
"$verso" load many ten.tsv >out
run diff many 1 2 --summary
prints_like "^changed${tab}10\$"
pages=$(awk '$1 == "pages_visited" { print $2 }' out)
holds "two paths a key at most" "$pages" -le 60
run diff many 1 2
holds "ten lines" "$(grep -c '^~key' out)" -eq 10

about "history"
run history store apple
ends_with 0
is_silent
holds "two values" "$(wc -l <out)" -eq 2
time='[0-9]\{4\}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]\{6\}Z'
prints_like "^3${tab}${time}${tab}${tab}put${tab}green\$"
prints_like "^1${tab}${time}${tab}first${tab}put${tab}red\$"
run history store banana
holds "newest first" "$(cut -f 1,4 out | tr '\t\n' '  ')" = "4 del 2 put "
prints_like "^4${tab}.*${tab}it\\\\tis gone${tab}del\$"
run history store apple --limit 1
prints_like "^3${tab}"
holds "one value" "$(wc -l <out)" -eq 1
run history store apple --root 2
prints_like "^1${tab}"
holds "one value" "$(wc -l <out)" -eq 1
run history store 'tab\tkey'
prints_like "${tab}put${tab}\\\\x00\$"
run history store cherry
ends_with 1
says "store: no kept root.* 'cherry'"
run history store apple --root 9
ends_with 1
says 'root 9'
run history store apple --limit -1
ends_with 2

about "revert"
run revert store 2 --note back
ends_with 0
prints 'root 6: 3 changes'
run diff store 2 6
prints ''
holds "the fingerprint shows it" "$(fingerprint 6)" = "$(fingerprint 2)"
run get store apple --root 5
prints green
run revert store 2
ends_with 0
prints 'root 6: 0 changes'
run revert store 5 --prefix a
prints 'root 7: 1 changes'
run scan store
prints "$(lines_of 'apple\tgreen' 'banana\tyellow')"
run revert store 5 --from b --to c
prints 'root 8: 1 changes'
run revert store --root 5
prints 'root 9: 1 changes'
holds "the fingerprint shows it" "$(fingerprint 9)" = "$(fingerprint 5)"
run revert store 99
ends_with 1
says 'root 99'
run revert store
ends_with 2
says 'revert needs one ROOT'
run revert store 1 --root 2
ends_with 2
says 'revert needs one ROOT'
run revert store first
ends_with 2
says "ROOT 'first': a root is"
run check store
ends_with 0

about "roots that are no longer kept"
"$verso" load store /dev/null --keep 2 >out
"$verso" put store last one >out
for words in 'get store apple --root 1' 'diff store 1 10' 'diff store 10 1' 'revert store 1' \
    'history store apple --root 1' 'count store --root 1'; do
    # shellcheck disable=SC2086
    run $words
    ends_with 1
    says 'root 1.*no longer'
done

finish

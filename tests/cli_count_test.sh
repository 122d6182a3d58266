#!/bin/sh
# cli_count_test.sh - count, nth, rank and scan --count from outside.
#
# Usage: sh tests/cli_count_test.sh VERSO [FOLDER]    see cli_asserts.sh
. "$(dirname "$0")/cli_asserts.sh"

awk 'BEGIN { for (i = 0; i < 1000; i++) printf "k%03d\t%d\n", i, i }' >thousand.tsv
"$verso" load store thousand.tsv --batch 500 >out

about "count"
run count store
ends_with 0
prints 1000
is_silent
run count store --root 1
prints 500
run count store --from k100 --to k102
prints 2
run count store --prefix k12 --from k125
prints 5
run count store --from k5 --to k4
ends_with 0
prints 0
run count store --prefix nothing
prints 0
run count store --root 3
ends_with 1
says 'root 3'

about "scan --count agrees with count"
run scan store --count --prefix k7
prints 100
run scan store --count --reverse
prints 1000
run scan store --count --limit 512
prints 512
run scan store --count --root 1
prints 500

about "nth"
run nth store 0
ends_with 0
prints "k000${tab}0"
run nth store 999
prints "k999${tab}999"
run nth store 499 --root 1
prints "k499${tab}499"
run nth store 500 --root 1
ends_with 1
says 'store: the entry with 500 keys below it: not found'
run nth store 1000
ends_with 1
run nth store
ends_with 2
says 'nth needs N'
for wrong in -1 1x first ''; do
    run nth store "$wrong"
    ends_with 2
    says "N takes a whole number from 0 on, not '$wrong'"
done

about "rank"
run rank store k000
ends_with 0
prints 0
run rank store k500
prints 500
run rank store k5000
prints 501
run rank store zzz
prints 1000
run rank store zzz --root 1
prints 500
run rank store ''
prints 0
run rank store 'bad\q'
ends_with 2
says KEY

about "an empty store"
"$verso" put empty key value >out
"$verso" del empty key >out
run count empty
prints 0
run rank empty key
prints 0
run nth empty 0
ends_with 1

about "bad stores"
for verb in 'count nowhere' 'nth nowhere 1' 'rank nowhere key'; do
    # shellcheck disable=SC2086
    run $verb
    ends_with 3
    says nowhere
done
holds "nothing was created" ! -e nowhere

finish

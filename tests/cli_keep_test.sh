#!/bin/sh
# cli_keep_test.sh - retention, tags, roots by time, and what roots cost, from outside.
#
# Usage: sh tests/cli_keep_test.sh VERSO [FOLDER]    see cli_asserts.sh
. "$(dirname "$0")/cli_asserts.sh"

# figure NAME: of the last output.
figure()
{
    awk -F "$tab" -v name="$1" '$1 == name { print $2 }' out
}

# ids STORE: the numbers of its roots in one line.
ids()
{
    "$verso" roots "$1" | cut -f 1 | tr '\n' ' '
}

awk 'BEGIN { for (i = 0; i < 2000; i++) printf "key %04d\tvalue %d\n", i, i }' >many.tsv
"$verso" load store many.tsv >out # root 1
for i in 2 3 4 5 6 7 8 9 10; do
    "$verso" put store "key 0$((i * 77))" $i >out
done
cp store begin

about "keep prints the policy"
run keep store
ends_with 0
prints "$(lines_of 'last\t100' 'thin\tforever/1s' checkpoints 'budget\t64M,100%')"
is_silent

about "what roots cost"
run roots store --cost
ends_with 0
holds "ten roots" "$(wc -l <out)" -eq 10
holds "eight columns" "$(awk -F "$tab" 'NF != 8' out | wc -l)" -eq 0
awk -F "$tab" '$1 == 1 && $7 != 0 || $1 == 10 && $8 != 0' out >wrong
holds "the oldest shares with none before, the newest with none after" ! -s wrong
awk -F "$tab" 'NR > 1 && $7 != after { print } { after = $8 }' out >wrong
holds "what a root shares with the next, that shares with it" ! -s wrong

about "a dry run says exactly what would go"
run keep store --last 3 --dry-run
ends_with 0
holds "the older seven" "$(awk '$1 == "goes" { print $2 }' out | tr '\n' ' ')" = "1 2 3 4 5 6 7 "
holds "three stay" "$(figure kept_roots)" -eq 3
holds "seven go" "$(figure dropped_roots)" -eq 7
freed=$(figure freed_bytes)
cmp -s store begin || failed "the store was changed"
run stat store
history=$(figure history_bytes)
run keep store --last 3
ends_with 0
prints "last${tab}3"
holds "three are left" "$(ids store)" = "8 9 10 "
run stat store
holds "as many bytes as it said" "$((history - $(figure history_bytes)))" -eq "$freed"
sum=$(awk '/^(live|history|tag|reader|passing|free|fixed|ahead)_bytes/ { sum += $2 } END { print sum }' out)
holds "what holds space sums to the file" "$sum" -eq "$(wc -c <store)"
holds "file_bytes" "$(figure file_bytes)" -eq "$sum"
run get store 'key 0001' --root 2
ends_with 1
says 'root 2.*no longer kept'
run get store 'key 0001' --root 99
ends_with 1
says 'root 99.*does not exist'
run check store
ends_with 0
cp begin copy
own=$("$verso" roots copy --cost | awk -F "$tab" '$1 == 1 { print $6 }')
run keep copy --last 9 --dry-run
holds "dropping one root frees what it owns" "$(figure freed_bytes)" -eq "$own"

about "every part of a policy"
run keep store --last 10 --within 36h --thin 30d/1d,forever/1w --checkpoints --budget 1.5G,150%
ends_with 0
prints "$(lines_of 'last\t10' 'within\t1d12h' 'thin\t30d/1d,forever/1w' checkpoints 'budget\t1536M,150%')"
run keep store
prints_like "^within${tab}1d12h\$"
run keep store --thin 1d/1h
prints "$(lines_of 'last\t1' 'thin\t1d/1h')"
run keep store --budget 100%
prints "$(lines_of 'last\t1' 'budget\t100%')"
run keep store --last 5 --budget 64M
prints "$(lines_of 'last\t5' 'budget\t64M')"
run keep store --all
prints all
run keep store --all --dry-run
prints_like "^dropped_roots${tab}0\$"
run keep store --default
prints_like "^thin${tab}forever/1s\$"

about "tags"
cp begin tags
run tag tags
ends_with 0
prints ''
run tag tags 'before\tall' 2
ends_with 0
prints 'root 2: tagged before\tall'
run tag tags newest
prints 'root 10: tagged newest'
run tag tags again tag:newest
prints 'root 10: tagged again'
run tag tags five --root 5
prints 'root 5: tagged five'
run tag tags
holds "in the order of their names" \
    "$(cut -f 1,2 out | tr '\t\n' '= ')" = 'again=10 before\tall=2 five=5 newest=10 '
time='[0-9]\{4\}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]\{6\}Z'
prints_like "^five${tab}5${tab}${time}\$"
run tag tags five 6
ends_with 3
says "tag 'five': exists already.*root 5"
run tag tags five 5
ends_with 0
run keep tags --last 1
ends_with 0
holds "tagged roots stay" "$(ids tags)" = "2 5 10 "
run stat tags
holds "they are named as what holds space" "$(figure tag_bytes)" -gt 0
holds "nothing else is kept" "$(figure history_bytes)" -eq 0
run get tags 'key 0154' --tag 'before\tall'
prints 2
run count tags --tag five
prints 2000
run diff tags 'tag:before\tall' tag:five --summary
prints_like "^changed${tab}3\$"
run revert tags tag:five
prints 'root 11: 5 changes'
run tag tags five --delete
ends_with 0
prints ''
run get tags 'key 0001' --tag five
ends_with 1
says "tag 'five': not found"
run tag tags five --delete
ends_with 1
says "tag 'five': not found"
run put tags last one
holds "its root goes with it" "$(ids tags | tr ' ' '\n' | grep -c '^5$')" -eq 0
run tag tags lost 5
ends_with 1
says 'root 5.*no longer kept'
run tag tags lost 99
ends_with 1
says 'root 99'
run check tags
ends_with 0

about "roots by time"
run get begin 'key 0770' --at 2100-01-01
ends_with 0
prints 10
run get begin 'key 0770' --at=-0s
prints 10
run get begin 'key 0770' --at -1w
ends_with 1
says 'a root at or before 20'
run count begin --at 1970-01-01
ends_with 1
says 'at or before 1970-01-01T00:00:00'
moment=$("$verso" roots begin | awk -F "$tab" '$1 == 9 { print $2 }')
run get begin 'key 0770' --at "$moment"
prints 'value 770'
run diff begin "@$moment" 10
prints "~key 0770${tab}value 770${tab}10"
run history begin 'key 0770' --at "$moment"
holds "nothing after that" "$(cut -f 5 out)" = 'value 770'
run trees begin --at "$moment"
ends_with 0

about "called wrongly"
while IFS='|' read -r words text; do
    # shellcheck disable=SC2086
    run $words
    ends_with 2
    says "$text"
done <<'END'
keep store --last 0|--last takes a whole number from 1 on
keep store --within 3|--within '3': a unit is needed.*at its end
keep store --within 0s|--within '0s': an age is more than 0
keep store --within 1h2|--within '1h2': a unit is needed
keep store --thin often|--thin 'often': a number is needed
keep store --thin 1d/1h,1h/1m|ages ascend.* at '1h/1m'
keep store --thin 1d/1h,2d/1h|spacings ascend.* at '2d/1h'
keep store --within 2d --thin 1d/1h|ages ascend
keep store --budget lots|--budget 'lots': a number is needed
keep store --budget 1M,2M|one size and one ratio at most, at '2M'
keep store --budget 12.5%|whole number of percents
keep store --all --last 3|--all and --default each say the whole policy
keep store --all --default|--all and --default each say the whole policy
tag store --delete|tag needs NAME
tag store name 1 --root 2|one root, not two
tag store name 1 --delete|--delete takes no root
tag store name first|ROOT 'first': a root is a number, tag:NAME or @TIME
tag store name tag:|ROOT: a name has 1 to 255 bytes, not 0
get store key --tag a --root 1|only one of --root, --tag and --at
get store key --at 2026-13-01|--at '2026-13-01': a month is 01 to 12, at '13-01'
get store key --at 2026-02-29|the month has no such day, at '29'
get store key --at yesterday|--at 'yesterday': a time is written as
get store key --at -2|a unit is needed
diff store @noon 1|A 'noon': a time is written as
revert store 1 --tag a|revert needs one ROOT
END

about "bad stores"
for verb in 'keep nowhere' 'keep nowhere --last 1' 'keep nowhere --last 1 --dry-run' 'tag nowhere' \
    'tag nowhere name' 'tag nowhere name --delete' 'roots nowhere --cost'; do
    # shellcheck disable=SC2086
    run $verb
    ends_with 3
    says nowhere
done
holds "nothing was created" ! -e nowhere

finish

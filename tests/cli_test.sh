#!/bin/sh
# cli_test.sh - the verso command from outside: every verb, the escapes, the exit codes, bad input.
# The verbs of history, of trees and of copies have tests of their own (cli_*_test.sh).
#
# Usage: sh tests/cli_test.sh VERSO [FOLDER]    FOLDER is made anew; default: a temporary one

. "$(dirname "$0")/cli_asserts.sh"

# ---- help and usage ------------------------------------------------------------------------------

about "help"
run --help
ends_with 0
is_silent
for verb in load put get del scan count nth rank roots tag keep diff history revert trees backup apply compact \
    stat check salvage; do
    run --help
    prints_like "^  $verb STORE"
    run $verb --help
    ends_with 0
    prints_like "^Usage: verso $verb STORE"
    is_silent
done
run --version
ends_with 0
prints_like '^verso [0-9]'

about "called wrongly"
run
ends_with 2
says "--help"
run frobnicate store
ends_with 2
says "no verb 'frobnicate'.*verso --help"
for verb in load put get del scan count nth rank roots tag keep diff history revert trees backup compact \
    stat check salvage; do
    run $verb
    ends_with 2
    says "$verb needs STORE.*verso $verb --help"
    run $verb store --frobnicate
    ends_with 2
    says "$verb has no option --frobnicate.*verso $verb --help"
done
run put store
ends_with 2
says "put needs KEY"
run put store key
ends_with 2
says "put needs VALUE"
run put store key value more
ends_with 2
says "no use for 'more'"
run get store key --root
ends_with 2
says "--root needs a value"
run get store key --root twelve
ends_with 2
says "--root takes a whole number.*'twelve'"
run get store key --root -1
ends_with 2
run get store key --root ' 1'
ends_with 2
run get store key --root 18446744073709551616
ends_with 2
says "18446744073709551616"
run scan store --limit 1x
ends_with 2
run load store --batch 0
ends_with 2
says "from 1 on"
run scan store --count=3
ends_with 2
says "--count takes no value"
run get store 'bad\qescape'
ends_with 2
says 'KEY'
run put store key 'bad\x4'
ends_with 2
says 'VALUE'
run scan store --from 'bad\'
ends_with 2
says "--from"
holds "nothing was created" ! -e store

# ---- one key -------------------------------------------------------------------------------------

about "put, get, del"
run put one.verso apple red
ends_with 0
prints "root 1"
is_silent
run put one.verso banana yellow
prints "root 2"
run get one.verso apple
ends_with 0
prints "red"
run put one.verso apple green
prints "root 3"
run get one.verso apple
prints "green"
run get one.verso apple --root 1
prints "red"
run get one.verso apple --root=1
prints "red"
run get one.verso --root 1 banana
ends_with 1
says "banana"
run get one.verso cherry
ends_with 1
says "one.verso.*cherry"
run del one.verso apple
ends_with 0
prints "root 4"
run get one.verso apple
ends_with 1
run get one.verso apple --root 3
prints "green"
run del one.verso apple
ends_with 1
says "apple"
run get one.verso apple --root 99
ends_with 1
says "root 99"
run put one.verso -- --key --value
ends_with 0
run get one.verso -- --key
prints "--value"
run put one.verso '' 'value of the empty key'
ends_with 0
run get one.verso ''
prints "value of the empty key"
run put one.verso empty ''
ends_with 0
run get one.verso empty
ends_with 0
prints ""
holds "one empty line" "$(wc -c <out)" -eq 1

about "del of a range"
awk 'BEGIN { for (i = 0; i < 1000; i++) printf "k%03d\t%d\n", i, i }' >thousand.tsv
run load del.verso thousand.tsv
run del del.verso --from k100 --to k900
ends_with 0
prints 'root 2: 800 keys deleted'
is_silent
run scan del.verso --count
prints 200
run del del.verso --prefix k05 --to k055 --note 'five of ten'
prints 'root 3: 5 keys deleted'
run roots del.verso
prints_like 'five of ten$'
run del del.verso --from k5 --to k6
ends_with 0
prints 'root 3: 0 keys deleted'
run del del.verso --from k0 --tree none
ends_with 1
says "tree 'none'"
run del del.verso k001 --from k002
ends_with 2
says 'either KEY, or a range'
run del del.verso
ends_with 2
says 'either KEY, or a range'
run scan del.verso --count --root 1
prints 1000
run check del.verso
ends_with 0

# ---- escapes -------------------------------------------------------------------------------------

about "escapes"
run put esc.verso 'k\t\n\\\x00\xff' 'v\x1b[0m caf\xc3\xa9 \xC3'
ends_with 0
run scan esc.verso
prints 'k\t\n\\\x00\xff'"$tab"'v\x1b[0m café \xc3'
run get esc.verso 'k\x09\x0a\x5c\x00\xFF'
ends_with 0
run scan esc.verso --prefix 'k\t' --count
prints 1

about "every byte survives load and scan"
i=0
while [ $i -lt 256 ]; do
    printf '\\x%02x\tvalue \\x%02x\n' $i $i
    i=$((i + 1))
done >bytes.tsv
run load bytes.verso bytes.tsv
ends_with 0
run scan bytes.verso
ends_with 0
cp out again.tsv
run scan bytes.verso --count
prints 256
run load bytes2.verso again.tsv
ends_with 0
run scan bytes2.verso
cmp -s out again.tsv || failed "a scan, loaded and scanned again, differs"
fingerprints=$("$verso" roots bytes.verso | cut -f 4; "$verso" roots bytes2.verso | cut -f 4)
holds "equal content, equal fingerprints" "$(echo "$fingerprints" | sort -u | wc -l)" -eq 1

# ---- load ----------------------------------------------------------------------------------------

about "load from standard input and files"
run_with 'b\t2\na\t1\n' load load.verso
ends_with 0
is_silent
prints_like '^root 1: loaded 2 entries'
run scan load.verso
prints "$(lines_of 'a\t1' 'b\t2')"
printf 'c\t3\n' >c.tsv
printf 'd\t4' >d.tsv
run_with 'e\t5\n' load load.verso c.tsv - d.tsv --note 'two\tmore'
ends_with 0
prints_like '^root 2: loaded 3 entries'
run scan load.verso --count
prints 5
run roots load.verso
prints_like "^2${tab}.*${tab}"'two\\tmore$'
run_with '' load load.verso
ends_with 0
prints_like 'nothing to load'
run_with 'tabs\tone\ttwo\n\tno key\nno value\t\n' load load.verso
ends_with 0
run get load.verso tabs
prints 'one\ttwo'
run get load.verso 'no value'
prints ''

about "load in batches"
run_with 'a\t1\nb\t2\nc\t3\nd\t4\ne\t5\n' load batch.verso --batch 2 --note batched
ends_with 0
prints_like '^root 1: 2 entries$'
prints_like '^root 2: 2 entries$'
prints_like '^root 3: 1 entries$'
prints_like '^root 3: loaded 5 entries.* 3 commits'
run scan batch.verso --root 2 --count
prints 4
run roots batch.verso
holds "three roots" "$(grep -c 'batched$' out)" -eq 3

about "load keeps the newest roots"
run_with 'a\t1\nb\t2\nc\t3\nd\t4\ne\t5\n' load keep.verso --batch 1 --keep 2
ends_with 0
run roots keep.verso
holds "two roots" "$(wc -l <out)" -eq 2
run get keep.verso a --root 1
ends_with 1
says "root 1"
run_with 'f\t6\n' load keep.verso --keep 3
ends_with 0
prints_like '^from now on 3 roots are kept'
prints_like '^root 6: loaded 1 entries'
run stat keep.verso
prints_like "^kept_roots${tab}3\$"

about "malformed lines"
run_with 'a\t1\nno tab here\nb\t2\n' load bad.verso
ends_with 3
says 'standard input:2: no tab'
says 'nothing of this load was committed'
run scan bad.verso --count
prints 0
printf 'good\t1\nbad\\q\t2\n' >bad.tsv
run load bad.verso bad.tsv
ends_with 3
says 'bad.tsv:2: byte 4: .*escape'
printf 'good\t1\nbad\tv\\x0\n' >bad.tsv
run load bad.verso bad.tsv
ends_with 3
says 'bad.tsv:2: byte 6: .*escape'
run_with 'a\t1\n\nb\t2\n' load bad.verso
ends_with 3
says 'standard input:2:'
run roots bad.verso
prints ''
run_with 'a\t1\nb\t2\nc\t3\nnone\nd\t4\n' load bad.verso --batch 2
ends_with 3
prints 'root 1: 2 entries'
says 'standard input:4:'
says 'committed before this: 2 entries up to root 1'
run scan bad.verso
prints "$(lines_of 'a\t1' 'b\t2')"
long_key=$(awk 'BEGIN { while (i++ < 70000) printf "k" }')
printf '%s\tvalue\n' "$long_key" >long.tsv
run load bad.verso c.tsv long.tsv
ends_with 3
says 'long.tsv:1:'
run scan bad.verso --count
prints 2

about "files that cannot be read"
run load none.verso c.tsv missing.tsv
ends_with 3
says 'missing.tsv'
run load none.verso .
ends_with 3
says '\.: .*directory'
holds "no store was created" ! -e none.verso

about "long lines"
awk 'BEGIN { printf "long\t"; while (i++ < 300000) printf "0123456789"; print "" }' >long.tsv
run load long.verso long.tsv
ends_with 0
run scan long.verso
cmp -s out long.tsv || failed "a value of 3,000,000 bytes came back otherwise"
key=$(awk 'BEGIN { while (i++ < 1000) printf "k" }')
run put long.verso "$key" 'a key of 1,000 bytes'
ends_with 0
run get long.verso "$key"
prints 'a key of 1,000 bytes'

# ---- scan ----------------------------------------------------------------------------------------

about "scan"
awk 'BEGIN { for (i = 0; i < 1000; i++) printf "k%03d\t%d\n", i, i }' >thousand.tsv
run load scan.verso thousand.tsv
ends_with 0
run scan scan.verso
ends_with 0
cmp -s out thousand.tsv || failed "the scan differs from what was loaded"
run scan scan.verso --reverse
sort -r thousand.tsv | cmp -s out - || failed "the reverse scan is not the scan reversed"
run scan scan.verso --from k997
prints "$(lines_of 'k997\t997' 'k998\t998' 'k999\t999')"
run scan scan.verso --to k002
prints "$(lines_of 'k000\t0' 'k001\t1')"
run scan scan.verso --from k100 --to k102
prints "$(lines_of 'k100\t100' 'k101\t101')"
run scan scan.verso --from k100 --to k102 --reverse
prints "$(lines_of 'k101\t101' 'k100\t100')"
run scan scan.verso --prefix k12 --count
prints 10
run scan scan.verso --prefix k12 --from k125 --to k128 --count
prints 3
run scan scan.verso --prefix k12 --reverse --limit 2
prints "$(lines_of 'k129\t129' 'k128\t128')"
run scan scan.verso --limit 1
prints "$(lines_of 'k000\t0')"
run scan scan.verso --limit 0
ends_with 0
prints ''
run scan scan.verso --count
prints 1000
run scan scan.verso --count --limit 512
prints 512
run scan scan.verso --count --reverse
prints 1000
run scan scan.verso --from k5 --to k4
ends_with 0
prints ''
run scan scan.verso --prefix nothing --count
ends_with 0
prints 0
run scan scan.verso --root 2
ends_with 1
says 'root 2'

# ---- roots, stat, check --------------------------------------------------------------------------

about "roots"
run roots one.verso
ends_with 0
holds "seven roots" "$(wc -l <out)" -eq 7
time='[0-9]\{4\}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]\{6\}Z'
prints_like "^1${tab}${time}${tab}1${tab}[0-9a-f]\{16\}${tab}\$"
holds "ascending ids" "$(cut -f 1 out | tr '\n' ' ')" = "1 2 3 4 5 6 7 "
awk 'BEGIN { for (i = 0; i < 100; i++) printf "%d\t\n", i }' >hundred.tsv
run load hundred.verso hundred.tsv --batch 1
run roots hundred.verso
cut -f 1,3 out >ids
awk 'BEGIN { for (i = 1; i <= 100; i++) printf "%d\t%d\n", i, i }' | cmp -s ids - ||
    failed "a hundred roots are not listed in order with their counts"

about "stat"
run stat one.verso
ends_with 0
prints_like "^page_size${tab}4096\$"
prints_like "^newest_root${tab}7\$"
prints_like "^oldest_root${tab}1\$"
prints_like "^keys${tab}4\$"
prints_like "^file_bytes${tab}$(wc -c <one.verso | tr -d ' ')\$"

about "check"
for store in one esc bytes load batch keep bad long scan hundred; do
    run check $store.verso
    ends_with 0
    prints_like '^ok: '
    is_silent
done

# ---- bad stores ----------------------------------------------------------------------------------

mkdir folder
printf 'This is a text file, and not a store at all.\n' >text
awk 'BEGIN { while (i++ < 2000) print "A longer text file, still not a store." }' >long_text
: >empty_file
head -c 5000 scan.verso >cut.verso

for verb in 'get STORE key' 'scan STORE' 'roots STORE' 'stat STORE' 'check STORE' 'del STORE key'; do
    about "no store: $verb"
    run $(echo "$verb" | sed 's/STORE/nowhere/')
    ends_with 3
    says 'nowhere'
    holds "nothing was created" ! -e nowhere
done
for verb in 'get STORE key' 'scan STORE' 'roots STORE' 'stat STORE' 'check STORE' 'del STORE key' \
    'put STORE key value' 'load STORE'; do
    for store in folder text long_text empty_file folder/none/store; do
        about "not a store: $store"
        [ -f $store ] && cp $store before
        run $(echo "$verb" | sed "s,STORE,$store,")
        ends_with 3
        says "$store"
        [ ! -f $store ] || cmp -s $store before || failed "$store was changed"
    done
done
for verb in 'get STORE key' 'scan STORE' 'put STORE key value' 'check STORE'; do
    about "a store cut short"
    cp cut.verso before
    run $(echo "$verb" | sed 's/STORE/cut.verso/')
    [ "$code" -ne 0 ] || failed "a failure was expected"
    says 'cut.verso'
    cmp -s cut.verso before || failed "the store was changed"
done

about "a damaged page"
cp scan.verso damaged.verso
size=$(wc -c <damaged.verso)
at=$((size - size % 4096))
found=no
while [ $at -ge 4096 ] && [ $found = no ]; do # the last page that a scan reads
    at=$((at - 4096))
    cp scan.verso damaged.verso
    printf 'damage' | dd of=damaged.verso bs=1 seek=$((at + 2000)) conv=notrunc 2>/dev/null
    "$verso" scan damaged.verso >/dev/null 2>&1 || found=yes
done
run scan damaged.verso
ends_with 3
says 'damaged.verso'
run check damaged.verso
ends_with 1
says 'damaged.verso'

about "an oversized key, an oversized note"
cp one.verso before
run put one.verso "$long_key" value
ends_with 3
says 'one.verso'
run get one.verso "$long_key"
[ "$code" -eq 1 ] || [ "$code" -eq 3 ] || failed "exit code 1 or 3 expected"
long_note=$(awk 'BEGIN { while (i++ < 1025) printf "n" }')
run_with 'a\t1\n' load one.verso --note "$long_note"
ends_with 3
says 'one.verso'
run roots one.verso
holds "still seven roots" "$(wc -l <out)" -eq 7

if [ "$(id -u)" -ne 0 ]; then
    about "no permission"
    cp one.verso closed.verso
    chmod 000 closed.verso
    run get closed.verso apple
    ends_with 3
    says 'closed.verso'
    chmod 600 closed.verso
fi

# ---- other processes -----------------------------------------------------------------------------

# wait_for FILE LINES: until FILE has so many lines, at most ten seconds.
wait_for()
{
    waited=0
    while [ "$(wc -l <"$1")" -lt "$2" ] && [ $waited -lt 100 ]; do
        sleep 0.1
        waited=$((waited + 1))
    done
}

about "a store that another process has open"
mkfifo pipe
"$verso" load busy.verso --batch 2 <pipe >announced 2>busy_err &
loader=$!
exec 3>pipe
printf 'a\t1\nb\t2\nc\t3\nd\t4\ne\t5\n' >&3
wait_for announced 2
run put busy.verso f 6
ends_with 3
says 'busy.verso'
run get busy.verso a
ends_with 3
says 'busy.verso'

about "a process killed while it writes"
kill -9 $loader
wait $loader 2>/dev/null
exec 3>&-
holds "two batches announced" "$(wc -l <announced)" -eq 2
cp busy.verso alone.verso
for file in busy.verso*; do
    cp "$file" "copy$file"
done
run scan busy.verso
ends_with 0
prints "$(lines_of 'a\t1' 'b\t2' 'c\t3' 'd\t4')"
for file in busy.verso*; do
    cmp -s "$file" "copy$file" || failed "reading changed $file"
done
run check busy.verso
ends_with 0
run put busy.verso f 6
ends_with 0
prints "root 3"
run get busy.verso f --root 2
ends_with 1

about "a store without its log"
cp alone.verso before
for words in 'get alone.verso a' 'put alone.verso a b' 'check alone.verso'; do
    # shellcheck disable=SC2086
    run $words
    [ "$code" -ne 0 ] || failed "a failure was expected"
    says 'alone.verso.*log'
    cmp -s alone.verso before || failed "the store was changed"
done

about "a file-size limit"
(
    ulimit -f 2048 # blocks of 512 bytes, or of 1,024 in some shells: 1 or 2 MiB
    "$verso" load limited.verso long.tsv thousand.tsv >out 2>err
    echo $? >limited_code
)
last="verso load limited.verso"
code=$(cat limited_code)
ends_with 3
says 'limited.verso\|long.tsv'
run check limited.verso
[ "$code" -eq 0 ] || failed "the store is whole after the failure"

about "output that cannot be written"
if [ -c /dev/full ]; then
    for words in 'scan scan.verso' 'roots hundred.verso' 'stat one.verso' 'get one.verso banana' \
        'check one.verso' 'scan scan.verso --count' '--help' 'put one.verso x y'; do
        : >out
        last="verso $words >/dev/full"
        # shellcheck disable=SC2086
        "$verso" $words >/dev/full 2>err
        code=$?
        ends_with 3
        says 'standard output'
    done
fi

finish

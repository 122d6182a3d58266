#!/bin/sh
# Every verb of the command on hostile store files: the named inputs of the fuzz target `file`, each as it
# is and changed some times by its mutator. Whatever the file, a verb ends by itself, with one of its own
# exit codes and a line that says why; one that only reads leaves the file as it was.
#
# Arguments: VERSO FOLDER HOSTILE_STORE CORPUS [ROUNDS]     ROUNDS: mutants of each input (default 1)
# VERSO_TEST_MUTANTS is another number of them.
. "$(dirname "$0")/cli_asserts.sh"
hostile_store=$3
corpus=$4
rounds=${VERSO_TEST_MUTANTS:-$((${VERSO_TEST_SHARE:-1} > 1 ? 0 : 1))}

ulimit -t 20 # seconds of a process: whoever loops dies of it
stores=0
runs=0

# on VERB...: run it on a fresh copy, and demand what any verb owes.
on()
{
    cp hostile store
    run "$@"
    runs=$((runs + 1))
    case $code in
    0) ;;
    1 | 3) [ "$1" = get ] || [ -s err ] || [ -s out ] || failed "it says nothing of why" ;;
    *) failed "exit code 0, 1 or 3 expected" ;;
    esac
    rm -f store-wal.* copy-wal.* store.new copy increment
}

reading()
{
    on "$@"
    cmp -s hostile store || failed "a verb that only reads has changed the file"
}

all_verbs()
{
    reading check store
    reading stat store
    reading scan store
    reading scan store --reverse --limit 5
    reading get store key
    reading count store
    reading nth store 3
    reading rank store key
    reading roots store --cost
    reading tag store
    reading trees store
    reading diff store 1 2
    reading history store key
    reading keep store --last 1 --dry-run
    reading backup store copy
    reading backup store increment --since 1
    reading compact store copy --newest
    reading salvage store copy
    on put store key value
    on del store --prefix k
    on del store key
    on load store /dev/null
    on tag store name
    on keep store --last 1
    on revert store 1
    on trees store --drop tree
    on apply store hostile
}

# Pages of 4,096 bytes take log segments of 4 MiB: one such store is enough.
for input in "$corpus"/seed-?-512 "$corpus"/seed-?-1024 "$corpus"/seed-3-4096 "$corpus"/find-*; do
    round=0
    while [ "$round" -le "$rounds" ]; do
        about "$(basename "$input"), $round rounds"
        "$hostile_store" "$input" "$round" hostile || failed "no hostile store"
        all_verbs
        stores=$((stores + 1))
        round=$((round + 1))
    done
done
echo "count hostile_stores $stores"
echo "count verbs_run $runs"
[ "$stores" -gt 0 ] || failed "no inputs"
finish

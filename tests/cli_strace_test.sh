#!/bin/sh
# cli_strace_test.sh - the shipped command while strace(1) makes the system's calls fail, come short,
# take long, or kills the process in them. Whatever comes of it: what was there before is there
# afterwards, what was reported as done is there, and the store is sound.
#
# Usage: sh tests/cli_strace_test.sh VERSO [FOLDER]    see cli_asserts.sh
# VERSO_TEST_CALLS: how many calls of each kind fail in turn (default 4).
# Ends with 77 where there is no strace, or it may trace nobody.
if ! strace -o /dev/null true >/dev/null 2>&1; then
    echo "skipped: no strace here, or it may trace nobody"
    exit 77
fi
golden=$(cd "$(dirname "$0")" && pwd)/golden
. "$(dirname "$0")/cli_asserts.sh"

samples=${VERSO_TEST_CALLS:-4}
runs=0
refused=0

"$verso" load closed /dev/null >out
awk 'BEGIN { for (i = 0; i < 300; i++) printf "k%03d\tvalue %d\n", i, i }' >before.tsv
"$verso" load closed before.tsv >out
mkdir template

# put KEY: in a fresh copy of the template, under `fault` (strace's words for an injection).
put_under()
{
    rm -f store store-wal.*
    cp template/* .
    last="put under $1"
    strace -f -o trace -e "inject=$1" "$verso" put store new value >out 2>err </dev/null
    code=$?
    runs=$((runs + 1))
}

# What was reported is there; the store is sound and goes on.
judge()
{
    reported=$code
    case $reported in
    0) ;;
    127) return ;; # the loader's own call failed: nothing ran
    3 | 137) refused=$((refused + 1)) ;;
    *) failed "exit code 0, 3 or killed expected" ;;
    esac
    [ "$reported" -ne 3 ] || says 'verso: store'
    "$verso" get store new >got 2>err
    found=$?
    if [ "$reported" -eq 0 ] && [ "$found" -ne 0 ]; then
        failed "acknowledged, and not there"
    fi
    "$verso" scan store --to new >out 2>err
    cmp -s out before.tsv || failed "something that was there before is gone"
    "$verso" put store another value >out 2>err || failed "the store does not go on"
    "$verso" check store >out 2>err || failed "the store is not sound"
}

# calls SYSCALL: how many of them a put makes.
calls()
{
    rm -f store store-wal.*
    cp template/* .
    strace -f -o trace -e "trace=$1" "$verso" put store new value >out 2>err
    grep -c "$1(" trace
}

# Each call of a kind in turn, or some of them where there are many.
each_call()
{
    count=$(calls "$1")
    step=$(((count + samples - 1) / samples))
    at=1
    while [ "$at" -le "$count" ]; do
        put_under "$1:$2:when=$at"
        judge
        at=$((at + step))
    done
}

sweep()
{
    for call in fdatasync fsync pwrite64 pread64 openat unlink ftruncate; do
        each_call $call error=EIO
    done
    for call in pwrite64 fdatasync fsync; do
        each_call $call signal=KILL
    done
    each_call pwrite64 error=ENOSPC
    each_call pwrite64 retval=0
    for fault in pwrite64:error=EINTR:when=2+3 fdatasync:delay_enter=20000 pwrite64:delay_exit=2000:when=1+10; do
        put_under $fault
        ends_with 0
        judge
    done
    put_under pwrite64:retval=0:when=2+ # for ever: a loop would never end
    ends_with 3
    judge
    for call in pwrite64 fdatasync fsync; do
        put_under $call:error=EIO:when=1+
        ends_with 3
        judge
    done
}

about "a store that was closed"
cp closed template/store
sweep

# leave_log VALUE: the template, in whose log `first` is and nowhere else: the process died when its
# commit was durable, in the first write of the checkpoint that closes the store.
leave_log()
{
    rm -f store store-wal.*
    cp template/* .
    strace -f -o trace -e trace=pwrite64,fdatasync "$verso" put store first "$1" >out 2>err
    at=$(awk '/pwrite64\(/ { n++; if (synced) { print n; exit } }
              /VFrm/ { frame = 1 }
              frame && /fdatasync\(/ { synced = 1 }' trace)
    rm -f store store-wal.*
    cp template/* .
    strace -f -o trace -e "inject=pwrite64:signal=KILL:when=$at" "$verso" put store first "$1" \
        >out 2>err
    mv store store-wal.* template/
    cp template/store alone
    run get alone first
    ends_with 3
    says 'alone-wal.* holds LSN'
    rm alone
    printf 'first\t%s\n' "$1" | cat - before.tsv >all.tsv
    mv all.tsv before.tsv
}

about "a store whose log is needed"
cp closed template/store
leave_log one
sweep

about "a store whose log has two files"
rm -f template/*
cp "$golden/closed-512" template/store
"$verso" scan template/store >before.tsv 2>err
leave_log "$(awk 'BEGIN { for (i = 0; i < 7000; i++) printf "0123456789" }')"
holds "the commit lies in both of them" -e template/store-wal.1
# A file of the log that cannot be looked at is not one that is not there.
put_under getdents64:error=EIO:when=1
judge
calls newfstatat >count
listed=0
for at in $(awk '/newfstatat\(/ { n++ } /newfstatat\(.*NOFOLLOW/ { print n }' trace | head -n 3); do
    put_under newfstatat:error=EIO:when="$at"
    ends_with 3
    judge
    listed=$((listed + 1))
done
holds "the log's files are looked at one by one" "$listed" -eq 3

echo "count strace_runs $runs"
holds "some were refused" "$refused" -gt 10
finish

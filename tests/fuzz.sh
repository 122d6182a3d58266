#!/bin/sh
# Build the fuzz targets (Clang, libFuzzer, address and undefined-behaviour sanitisers) and run each.
#
# Usage: sh tests/fuzz.sh [SECONDS_PER_TARGET] [TARGET...]     default: 60, all targets
#        sh tests/fuzz.sh --merge [TARGET...]                  default: all targets
#
# A run begins with the corpus in tests/fuzz/corpus and what former runs have left in
# build/fuzz/runs/TARGET; nothing in tests/ is changed. Each target ends with one line:
#     target seed executions seconds executions/s verdict
# VERSO_FUZZ_SEED sets the seed (default 1). What fails is in build/fuzz/runs/TARGET-crash-*.
#
# --merge fuzzes nothing: it takes over into tests/fuzz/corpus/TARGET, of what it holds and what the
# runs have left, as few and as short inputs as reach every edge of the code that any of them does.
# Inputs with names (seed-*, find-*) stay whatever they reach; the others are named by their digest.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
mode=run
[ "$seconds" != --merge ] || mode=merge
[ $# -gt 0 ] && shift
seed=${VERSO_FUZZ_SEED:-1}

sh tools/install_needs.sh clang libclang-rt-dev cmake pkg-config libcriterion-dev
if [ ! -d build/fuzz ] && command -v ninja >/dev/null 2>&1; then
    CMAKE_GENERATOR=Ninja
    export CMAKE_GENERATOR
fi
cmake --preset fuzz -D VERSO_WERROR="${VERSO_WERROR:-OFF}" >/dev/null
cmake --build --preset fuzz --parallel "$(nproc)" >/dev/null
[ $# -gt 0 ] || set -- $(ls tests/fuzz/corpus)

# What takes most of the time and finds nothing: the callers of each allocation (a find is run again
# without these options), filling new memory, keeping much freed memory from use; and libFuzzer's
# entropic schedule, which goes through all inputs' features after each run.
ASAN_OPTIONS=quarantine_size_mb=16:malloc_context_size=0:max_malloc_fill_size=0
ASAN_OPTIONS=$ASAN_OPTIONS:allocator_release_to_os_interval_ms=-1
UBSAN_OPTIONS=print_stacktrace=1
export ASAN_OPTIONS UBSAN_OPTIONS

# The longest input, in bytes: what a target can use.
longest()
{
    case $1 in
        api) echo 200 ;; # some 60 steps
        cli) echo 1024 ;;
        page) echo 4200 ;; # a page of 4,096 bytes, and what goes before it
        record) echo 4400 ;;
        increment) echo 16384 ;;
        *) echo 65536 ;;
    esac
}

# The timeout is of the clock, and a niced process may wait long for its turn on a busy machine.
limits="-timeout=20 -rss_limit_mb=512 -malloc_limit_mb=64"

# Merge one target's inputs; whichever adds no edge goes.
merge()
{
    corpus=tests/fuzz/corpus/$1
    merged=build/fuzz/merged/$1
    rm -rf "$merged"
    mkdir -p "$merged" "build/fuzz/runs/$1"
    cp "$corpus"/seed-* "$merged"
    cp "$corpus"/find-* "$merged" 2>/dev/null || true # not every target has one
    # shellcheck disable=SC2086 # several words
    nice -n 19 "build/fuzz/tests/fuzz/fuzz_$1" $limits -max_len="$(longest "$1")" \
        -use_counters=0 -merge=1 "$merged" "$corpus" "build/fuzz/runs/$1" \
        >"build/fuzz/runs/$1.log" 2>&1 || return 1
    rm -f "$corpus"/*
    cp "$merged"/* "$corpus"
    echo "$1 inputs=$(find "$corpus" -type f | wc -l) bytes=$(cat "$corpus"/* | wc -c)"
}

if [ $mode = merge ]; then
    for target in "$@"; do
        merge "$target"
    done
    exit 0
fi

failed=0
for target in "$@"; do
    work=build/fuzz/runs/$target
    mkdir -p "$work"
    verdict=clean
    # shellcheck disable=SC2086 # several words
    nice -n 19 "build/fuzz/tests/fuzz/fuzz_$target" $limits -max_len="$(longest "$target")" \
        -entropic=0 -verbosity=0 -print_final_stats=1 \
        -max_total_time="$seconds" -seed="$seed" -artifact_prefix="$work-" \
        "$work" "tests/fuzz/corpus/$target" >"$work.log" 2>&1 || verdict=FAULT
    [ $verdict = clean ] || failed=1
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work.log")
    rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$work.log")
    echo "$target seed=$seed executions=${runs:-?} seconds=$seconds per_second=${rate:-?} $verdict"
    [ $verdict = clean ] || grep -E '^FAULT|Assertion|ERROR|artifact|Test unit' "$work.log" || true
done
exit $failed

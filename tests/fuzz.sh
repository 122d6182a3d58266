#!/bin/sh
# Build the fuzz targets (Clang, libFuzzer, address and undefined-behaviour sanitisers) and run each.
#
# Usage: sh tests/fuzz.sh [SECONDS_PER_TARGET] [TARGET...]     default: 60, all targets
#
# A run begins with the corpus in tests/fuzz/corpus and what former runs have left in
# build/fuzz/runs/TARGET; nothing in tests/ is changed. Each target ends with one line:
#     target seed executions seconds executions/s verdict
# VERSO_FUZZ_SEED sets the seed (default 1). What fails is in build/fuzz/runs/TARGET-crash-*.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
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
        api) echo 600 ;;
        cli) echo 2048 ;;
        page) echo 4200 ;; # a page of 4,096 bytes, and what goes before it
        record) echo 4400 ;;
        increment) echo 16384 ;;
        *) echo 65536 ;;
    esac
}

failed=0
for target in "$@"; do
    work=build/fuzz/runs/$target
    mkdir -p "$work"
    verdict=clean
    nice -n 19 "build/fuzz/tests/fuzz/fuzz_$target" \
        -timeout=5 -rss_limit_mb=512 -malloc_limit_mb=64 -max_len="$(longest "$target")" \
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

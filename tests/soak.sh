#!/bin/sh
# Run the long versions of the tests in turn, with ever new seeds, until the time is up; append to
# docs/ledger.tsv what was done.
#
# Usage: sh tests/soak.sh [MINUTES] [PART...]     default: 60 minutes, all parts
#
# Turns are of some seconds to a few minutes, so that each part comes to its own in every hour. The
# first fault ends the soak: it names the seed, and the row of its part says FAULT.
# The part interleave_all comes by name only: every order with up to two preemptions, the same each
# time, in one turn of some ten minutes.
# The fuzz targets have VERSO_FUZZ_SECONDS each a turn (default: 30), in their own build.
# VERSO_SOAK_SEED is the first seed (default: drawn). VERSO_SOAK_PRESET is the build (default: soak,
# optimised and with asserts; asan-ubsan is another). VERSO_SOAK_LEDGER is another file for the rows.
set -eu
cd "$(dirname "$0")/.."
minutes=${1:-60}
[ $# -gt 0 ] && shift
all="store_model tree_model savepoint_model txn_savepoint_model trees_savepoint_model
     log_crash store_crash store_damage kill small_disk store_threads interleave fuzz
     meta_damage salvage live_copy long_reader small_memory"
parts=${*:-$all}
for part in $parts; do
    echo $all interleave_all | grep -qwF -- "$part" || {
        echo "soak: there is no part '$part'; there are:" $all interleave_all >&2
        exit 2
    }
done
preset=${VERSO_SOAK_PRESET:-soak}
ledger=${VERSO_SOAK_LEDGER:-docs/ledger.tsv}
seed=${VERSO_SOAK_SEED:-$(od -A n -N 3 -t u4 /dev/urandom | tr -d ' ')}

if [ ! -d "build/$preset" ] && command -v ninja >/dev/null 2>&1; then
    CMAKE_GENERATOR=Ninja
    export CMAKE_GENERATOR
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ "$parts" = fuzz ] || { # which builds its own
    cmake --preset "$preset" -D VERSO_WERROR="${VERSO_WERROR:-OFF}" &&
        cmake --build --preset "$preset" --parallel "$(nproc)"
} >"$work/output" 2>&1 || { cat "$work/output"; exit 1; }

commit=$(git rev-parse --short HEAD)
[ -z "$(git status --porcelain src tests)" ] || commit=$commit+
date=$(date -u +%F)
trap 'write_rows; exit 130' INT TERM
end=$(($(date +%s) + minutes * 60))

# One turn of a part: its output goes to $work/output.
take_turn()
{
    test=build/$preset/tests/${1}_test
    export VERSO_TEST_SEED="$seed"
    case $1 in
        fuzz) VERSO_FUZZ_SEED=$seed sh tests/fuzz.sh "${VERSO_FUZZ_SECONDS:-30}" ;;
        store_model) VERSO_TEST_RUNS=60 "$test" ;;
        tree_model) VERSO_TEST_RUNS=20 "$test" ;;
        *_model) VERSO_TEST_RUNS=15 "$test" ;;
        log_crash) VERSO_TEST_SEED=${seed}000 VERSO_TEST_RUNS=1000 "$test" ;;
        store_crash)
            VERSO_TEST_IMAGES=8 VERSO_TEST_NESTED_EVERY=40 VERSO_TEST_TWICE_EVERY=200 "$test" \
                --filter 'store_crash/leaves_*' ;;
        store_damage) VERSO_TEST_STRIDE=13 "$test" ;;
        kill) VERSO_TEST_KILLS=1500 "$test" ;;
        interleave_all)
            VERSO_TEST_PREEMPTIONS=2 VERSO_TEST_RUNS=0 "build/$preset/tests/interleave_test" ;;
        interleave) VERSO_TEST_PREEMPTIONS=0 VERSO_TEST_RUNS=5000 VERSO_TEST_SEED=${seed}00000 "$test" ;;
        small_disk) VERSO_TEST_DISK_STEP=4 "$test" ;;
        meta_damage) VERSO_TEST_STRIDE=7 "$test" ;;
        salvage) VERSO_TEST_RUNS=2000 "$test" --filter 'salvage/of_many_damaged_pages*' ;;
        live_copy) VERSO_TEST_COPIES=1000 "$test" ;;
        long_reader) VERSO_TEST_COMMITS=1000000 "$test" ;;
        small_memory) # no sanitiser's build has it
            [ ! -x "$test" ] || VERSO_TEST_LIMIT_MIB=32 VERSO_TEST_STORE_MIB=256 "$test" ;;
        *) "$test" ;;
    esac >"$work/output" 2>&1
}

# The counts of a turn: lines "count NAME N", or "executions=N" of a fuzz target.
note_counts()
{
    sed -n 's/^count \([a-z_]* [0-9]*\)$/\1/p
            s/^\([a-z_]*\) seed=.* executions=\([0-9]*\) .*/executions_\1 \2/p' \
        "$work/output" >>"$work/$1.counts"
}

# One row for each part that had a turn.
write_rows()
{
    [ -e "$ledger" ] || printf 'date\tcommit\tbuild\tpart\tseeds\tcounts\tseconds\tverdict\n' >"$ledger"
    for part in $parts; do
        [ -e "$work/$part.turns" ] || continue
        counts=$(awk '{ if (!($1 in sum)) order[++names] = $1; sum[$1] += $2 }
            END { for (i = 1; i <= names; i++)
                printf "%s%s=%.0f", (i > 1 ? " " : ""), order[i], sum[order[i]] }' "$work/$part.counts")
        turns=$(awk '{ seconds += $2; if (NR == 1) first = $1; last = $1 }
            END { printf "%d-%d\t%d", first, last, seconds }' "$work/$part.turns")
        verdict=clean
        [ ! -e "$work/$part.fault" ] || verdict=FAULT
        build=$preset
        [ "$part" != fuzz ] || build=fuzz
        printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$date" "$commit" "$build" "$part" \
            "${turns%	*}" "$counts" "${turns#*	}" "$verdict"
    done | tee -a "$ledger"
}

echo "soak: $minutes minutes from seed $seed, commit $commit, build $preset"
while :; do
    for part in $parts; do
        [ "$(date +%s)" -lt "$end" ] || break 2
        began=$(date +%s)
        verdict=clean
        take_turn "$part" || verdict=FAULT
        note_counts "$part"
        echo "$seed $(($(date +%s) - began))" >>"$work/$part.turns"
        if [ $verdict = FAULT ]; then
            : >"$work/$part.fault"
            cat "$work/output"
            write_rows
            echo "soak: FAULT in $part; VERSO_TEST_SEED=$seed"
            exit 1
        fi
    done
    seed=$((seed + 1))
done
write_rows

#!/bin/sh
# Build with counters, run the tests, print how many lines and branches of each source of the engine
# they reach, and fail if a folder or a file is below its threshold.
#
# Usage: sh tests/coverage.sh [--no-run] [THRESHOLDS]
#     --no-run     report on what was counted before
#     THRESHOLDS   default: tests/coverage_thresholds.txt
#
# Needs GCC and gcovr (installed where missing, on Debian). Built without asserts, whose other branch
# nobody takes, but with the points at which a test schedules the threads: races are taken there. A condition has two branches for each of its terms; "left" are those never taken.
# build/coverage/report/index.html shows them line by line. What no test can reach is marked in the
# source with its reason, as in "untaken: ...", and the branches of that line are not counted.
set -eu
cd "$(dirname "$0")/.."
build=build/coverage
run=yes
if [ "${1:-}" = --no-run ]; then
    run=no
    shift
fi
thresholds=${1:-tests/coverage_thresholds.txt}
[ -r "$thresholds" ] || { echo "cannot read $thresholds" >&2; exit 2; }

sh tools/install_needs.sh gcovr
if [ $run = yes ]; then
    sh tools/install_needs.sh build-essential cmake pkg-config libcriterion-dev
    if [ ! -d "$build" ] && command -v ninja >/dev/null 2>&1; then
        CMAKE_GENERATOR=Ninja
        export CMAKE_GENERATOR
    fi
    cmake --preset coverage -D VERSO_WERROR="${VERSO_WERROR:-OFF}" >/dev/null
    cmake --build --preset coverage --parallel "$(nproc)" >/dev/null
    find "$build" -name '*.gcda' -exec rm -f {} +
    # Not the installed library, which is built without counters.
    VERSO_INNER_STRIDE=1 VERSO_FORGED_STRIDE=5 \
        VERSO_TEST_OCCURRENCES=${VERSO_TEST_OCCURRENCES:-10} \
        ctest --preset coverage --parallel "$(nproc)" -E '^install$'
fi

mkdir -p "$build/report"
gcovr --root . --object-directory "$build/src" --filter src/ \
    --exclude-branches-by-pattern '.*\buntaken: ' \
    --html-details "$build/report/index.html" --csv "$build/report/measured.csv" "$build/src"

awk -F, -v thresholds="$thresholds" '
    function per_cent(part, whole) { return whole == 0 ? 100 : 100 * part / whole }
    function row(name) {
        printf "%-34s %6d %6.1f %% %8d %6.1f %% %5d\n", name, lines[name],
            per_cent(reached[name], lines[name]), branches[name],
            per_cent(taken[name], branches[name]), branches[name] - taken[name]
    }
    function add(name) {
        lines[name] += $2; reached[name] += $3; branches[name] += $5; taken[name] += $6
    }
    NR == 1 {
        printf "%-34s %6s %8s %8s %8s %5s\n", "", "lines", "reached", "branches", "taken", "left"
        next
    }
    {
        add($1); add("src")
        folder = $1
        sub(/\/[^\/]*$/, "", folder)
        if (!(folder in lines)) order[++folders] = folder
        add(folder)
        row($1)
    }
    END {
        print ""
        for (i = 1; i <= folders; i++) row(order[i])
        row("src")
        FS = " "
        while ((getline <thresholds) > 0) {
            if ($0 ~ /^[ \t]*(#|$)/) continue
            if (split($0, wanted, " ") != 3 || !(wanted[1] in lines)) {
                print thresholds ": no such source, or not three words: " $0
                failed = 1
            } else if (per_cent(reached[wanted[1]], lines[wanted[1]]) < wanted[2] ||
                       per_cent(taken[wanted[1]], branches[wanted[1]]) < wanted[3]) {
                printf "%s is below its threshold: %s %% of lines, %s %% of branches\n",
                    wanted[1], wanted[2], wanted[3]
                failed = 1
            }
        }
        exit failed
    }' "$build/report/measured.csv"

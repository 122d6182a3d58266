#!/bin/sh
# Build Verso with one deliberate defect after the other, and demand that a test fails each time.
#
# Usage: sh tests/mutants.sh [NAME...]      default: all of tests/mutants/*.sed
#
# Each mutant is a sed script; its first lines tell what it breaks, in which file, and which tests
# are to see it, the quick ones first. The source is copied to build/mutants, so nothing here is
# changed. A script that changes nothing is stale and counts as a failure, as does one that
# survives. Takes about half an hour on two cores.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- $(cd tests/mutants && ls ./*.sed | sed 's|^\./||; s|\.sed$||')
work=build/mutants
mkdir -p "$work/source"

# The header line "# KEY: VALUE" of a mutant.
header()
{
    sed -n "s/^# $1: //p" "tests/mutants/$2.sed"
}

build()
{
    nice cmake --build "$work/build" --parallel "$(nproc)" --target "$@" >"$work/output" 2>&1
}

for part in CMakeLists.txt cmake include src tests tools docs; do
    rm -rf "${work:?}/source/$part"
    cp -Rp "$part" "$work/source/$part"
done
if [ ! -d "$work/build" ] && command -v ninja >/dev/null 2>&1; then
    CMAKE_GENERATOR=Ninja
    export CMAKE_GENERATOR
fi
cmake -S "$work/source" -B "$work/build" -D CMAKE_BUILD_TYPE=Debug -D CMAKE_C_FLAGS_DEBUG=-O1 \
    -D VERSO_TESTS=ON -D VERSO_TOOLS=OFF >/dev/null

# Which of its tests sees a mutant; empty: none.
killer()
{
    for test in $(header tests "$1"); do
        build "${test}_test" || { echo "does not compile"; return; }
        if ! timeout 300 nice "$work/build/tests/${test}_test" >"$work/output" 2>&1; then
            echo "$test"
            return
        fi
    done
}

alive=0
printf '%-36s %-18s %s\n' mutant 'killed by' 'what it breaks'
for name in "$@"; do
    file=$(header file "$name")
    sed -f "tests/mutants/$name.sed" "$file" >"$work/source/$file"
    if cmp -s "$file" "$work/source/$file"; then
        verdict=STALE
    else
        verdict=$(killer "$name")
    fi
    case ${verdict:-SURVIVED} in
        STALE | SURVIVED | 'does not compile') alive=$((alive + 1)) ;;
    esac
    printf '%-36s %-18s %s\n' "$name" "${verdict:-SURVIVED}" "$(sed -n '1s/^# //p' "tests/mutants/$name.sed")"
    cp "$file" "$work/source/$file"
done
echo "$# mutants, $alive not killed"
[ "$alive" -eq 0 ]

#!/bin/sh
# Build Verso with one deliberate defect after the other, and demand that a test fails each time.
#
# Usage: sh tests/mutants.sh [NAME...]      default: all of tests/mutants/*.sed
#        sh tests/mutants.sh --check        nothing is built: is every mutant, is the table up to date?
#
# Each mutant is a sed script; its first lines tell what it breaks, in which file, and which tests
# are to see it, the quick ones first. The source is copied to build/mutants, so nothing here is
# changed but the rows of docs/mutants.md, which say which test has failed. A script that changes
# nothing is stale and counts as a failure, as does one that survives. All of them take about half an
# hour of one core.
set -eu
cd "$(dirname "$0")/.."
table=docs/mutants.md
all=$(cd tests/mutants && ls ./*.sed | sed 's|^\./||; s|\.sed$||')
work=build/mutants

# The header line "# KEY: VALUE" of a mutant.
header()
{
    sed -n "s/^# $1: //p" "tests/mutants/$2.sed"
}

defect()
{
    sed -n '1s/^# //p' "tests/mutants/$1.sed"
}

# Whether a mutant's script changes its file.
is_stale()
{
    file=$(header file "$1")
    sed -f "tests/mutants/$1.sed" "$file" | cmp -s "$file" -
}

if [ "${1:-}" = --check ]; then
    faults=0
    for name in $all; do
        row=$(grep "^| \`$name\` |" "$table" || true)
        case $row in
            *"| $(defect "$name") |") ;;
            *) echo "$name: no row in $table, or another defect"; faults=$((faults + 1)) ;;
        esac
        case $row in
            *'| survived |'* | *'| stale |'* | *'does not compile'*)
                echo "$name: not killed"; faults=$((faults + 1)) ;;
        esac
        if is_stale "$name"; then
            echo "$name: changes nothing"
            faults=$((faults + 1))
        fi
    done
    [ "$(echo "$all" | wc -l)" -eq "$(grep -c '^| `' "$table")" ] || {
        echo "$table: rows of other mutants"; faults=$((faults + 1)); }
    exit "$((faults > 0))"
fi
[ $# -gt 0 ] || set -- $all

build()
{
    nice cmake --build "$work/build" --parallel "$(nproc)" --target "$@" >"$work/output" 2>&1
}

mkdir -p "$work/source"
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

# Which of its tests sees a mutant.
killer()
{
    for test in $(header tests "$1"); do
        build "${test}_test" || { echo 'does not compile'; return; }
        if ! timeout 300 nice "$work/build/tests/${test}_test" >"$work/output" 2>&1; then
            echo "$test"
            return
        fi
    done
    echo survived
}

# The table anew: a fresh row for one mutant, the others as they are.
write_row()
{
    row="| \`$1\` | $2 | $(defect "$1") |"
    {
        sed '/^| `/d' "$table"
        for other in $all; do
            if [ "$other" = "$1" ]; then
                echo "$row"
            else
                grep "^| \`$other\` |" "$table" || true
            fi
        done
    } >"$work/table"
    cp "$work/table" "$table"
}

alive=0
for name in "$@"; do
    file=$(header file "$name")
    verdict=stale
    if ! is_stale "$name"; then
        sed -f "tests/mutants/$name.sed" "$file" >"$work/source/$file"
        verdict=$(killer "$name")
    fi
    case $verdict in
        stale | survived | 'does not compile') alive=$((alive + 1)) ;;
    esac
    printf '%-36s %-18s %s\n' "$name" "$verdict" "$(defect "$name")"
    write_row "$name" "$verdict"
    cp "$file" "$work/source/$file"
done
echo "$# mutants, $alive not killed"
[ "$alive" -eq 0 ]

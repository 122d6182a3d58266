#!/bin/sh
# quickstart.sh - see Verso work on real data: an inventory of every file under /usr, twice.
#
# Usage: sh tools/quickstart.sh
# Installs what is missing (Debian), builds, and leaves all it makes in build/quickstart.
set -eu
cd "$(dirname "$0")/.."

work=build/quickstart
verso=$work/tools/verso
store=$work/inventory.verso
LC_ALL=C # sort and comm by bytes, as the store does
export LC_ALL

# ---- steps and their times -----------------------------------------------------------------------

step=0
step_began=

begin_step()
{
    step=$((step + 1))
    printf '\n== %d. %s\n' "$step" "$1"
    step_began=$(date +%s.%N)
}

# end_step TEXT...: what was done, and how long it took.
end_step()
{
    seconds=$(date +%s.%N | awk -v began="$step_began" '{ printf "%.3f", $1 - began }')
    echo "-> $* ($seconds s)"
}

# show COMMAND...: print it, then run it.
show()
{
    echo "\$ $*"
    "$@"
}

# ---- the inventory -------------------------------------------------------------------------------

# inventory FILE: one line a path: path<TAB>size mode time, backslashes escaped, in order of the
# paths. A path with control bytes (there hardly ever is one) is left out.
inventory()
{
    find /usr "$work/desk" ! -path '*[[:cntrl:]]*' -printf '%p\t%s %M %TY-%Tm-%Td %TH:%TM:%TS\n' \
        2>/dev/null | sed 's/\\/\\\\/g' | sort >"$1" # what may not be read is left out
    [ -s "$1" ] || { echo "find gave nothing" >&2; exit 1; }
}

lines()
{
    wc -l <"$1" | tr -d ' '
}

# ---- what the quick start does -------------------------------------------------------------------

begin_step "Install what is missing"
sh tools/install_needs.sh build-essential cmake
end_step "a C compiler and CMake are there"

begin_step "Build"
mkdir -p "$work"
{
    cmake -S . -B "$work" -DCMAKE_BUILD_TYPE=Release &&
        cmake --build "$work" --parallel "$(nproc)"
} >"$work.log" 2>&1 || { cat "$work.log"; exit 1; }
end_step "the library and the command $verso, log in $work.log"

begin_step "Take an inventory of /usr, and load it as root 1"
rm -rf "$store" "$store"-* "$work/desk"
mkdir "$work/desk"
echo "a first draft" >"$work/desk/letter"
echo "milk, bread" >"$work/desk/list"
inventory "$work/before.tsv"
end_step "$(lines "$work/before.tsv") paths found, with a small folder of our own among them"
step_began=$(date +%s.%N)
show "$verso" load "$store" --note before "$work/before.tsv"
end_step "in one commit, now on stable storage"

begin_step "Change something, take the inventory again, and load the difference as root 2"
echo "a second draft, a little longer" >"$work/desk/letter"
echo "remember the milk" >"$work/desk/reminder"
rm "$work/desk/list"
inventory "$work/after.tsv"
comm -13 "$work/before.tsv" "$work/after.tsv" >"$work/changed.tsv"
end_step "$(lines "$work/changed.tsv") paths are new or changed"
step_began=$(date +%s.%N)
show "$verso" load "$store" --note after "$work/changed.tsv"
end_step "the two roots share all pages that did not change"

begin_step "List the roots"
show "$verso" roots "$store"
end_step "number, time, keys, fingerprint, note"

begin_step "Open root 1 by its number, and scan a prefix"
show "$verso" scan "$store" --root 1 --prefix /usr/bin/c --limit 5
show "$verso" scan "$store" --root 1 --prefix /usr/bin/ --count
end_step "as fast as in the newest root"

begin_step "Look up one path in both roots"
show "$verso" get "$store" "$work/desk/letter" --root 1
show "$verso" get "$store" "$work/desk/letter" --root 2
show "$verso" get "$store" "$work/desk/reminder" --root 2
if show "$verso" get "$store" "$work/desk/reminder" --root 1; then
    echo "a path that was created later is in root 1" >&2
    exit 1
fi
end_step "each root answers as of its time; the reminder did not exist in root 1"

begin_step "Name root 1, take the list out of the inventory, and ask what changed since"
show "$verso" tag "$store" before 1
show "$verso" del "$store" "$work/desk/list"
show "$verso" diff "$store" tag:before 3 --prefix "$work/desk/"
show "$verso" diff "$store" tag:before 3 --summary
end_step "pages that both roots share were skipped: pages_visited follows the change, not the size"

begin_step "Ask one path for its history, and bring the folder of root 1 back"
show "$verso" history "$store" "$work/desk/list"
show "$verso" revert "$store" tag:before --prefix "$work/desk/" --note "as before"
show "$verso" diff "$store" 1 4 --prefix "$work/desk/"
end_step "root 4 has the folder as root 1 had it; roots 2 and 3 are still there"

begin_step "See what each root costs"
show "$verso" roots "$store" --cost
end_step "after the note: bytes that only this root keeps, and bytes shared with its neighbours"

begin_step "Prove that the store is whole"
show "$verso" check "$store"
end_step "every page of every root was read"

begin_step "Look at the figures"
show "$verso" stat "$store"
end_step "$(du -h "$store" | cut -f 1) on disk for $(du -h "$work/after.tsv" | cut -f 1) of text"

cat <<END

Done. The store is $store; try for example:
  $verso scan $store --prefix /usr/share/doc/ --limit 10
  $verso put $store greeting hello
  $verso --help
END

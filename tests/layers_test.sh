#!/bin/sh
# layers_test.sh - the floors of src/ include only what lies below them, the tools only the public
# header; and no object file but those of the floor `os` calls the system, so that the simulated disk
# stands behind every call there is.
#
# Arguments: SOURCE OBJECT...    the repository's folder, the engine's object files
set -u
source=$1
shift
faults=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fault()
{
    echo "$1"
    faults=$((faults + 1))
}

# ---- who includes whom ---------------------------------------------------------------------------

below='' # a pattern of the floors that may be included
for floor in os format store tree history api; do
    below="$below${below:+|}$floor"
    if grep -E '^#include "[a-z]+/' "$source/src/$floor"/*.[ch] | grep -vE "\"($below)/"; then
        fault "these include what lies above the floor $floor"
    fi
done
if grep -E '^#include "(os|format|store|tree|history|api)/' "$source"/tools/*.[ch]; then
    fault "these include more than the public header"
fi

# ---- who calls the system ------------------------------------------------------------------------

# What the C library does without asking the system for more than memory, and the mutexes that
# os/lock.h takes inline. Names that begin with an underscore are the compiler's and the sanitisers',
# but for checked variants such as __read_chk, which count as what they check.
allowed='mem(chr|cmp|cpy|move|set)|bcmp|str(dup|len|spn)|snprintf|qsort|malloc|calloc|realloc|free'
allowed="$allowed|pthread_(once|mutex_(init|destroy|lock|unlock))|(vs|verso)_.*|_.*"
names=$work/names
nm -A -u "$@" | sed -n 's,^\(.*\):[^:]*[ \t]\([A-Za-z_][^ @]*\).*$,\1 \2,p' |
    sed 's/ __\(.*\)_chk$/ \1/' | grep -v '/os/' >"$names" || true
if ! grep -q ' vs_' "$names"; then
    echo "skipped: nothing can be seen in these object files"
    exit 77
fi
if grep -vE " ($allowed)\$" "$names"; then
    fault "these call the system past the floor os"
fi
echo "$# object files"
exit $((faults > 0))

#!/bin/sh
# readme_test.sh - the README's program is docs/examples/first_store.c, and its links lead somewhere.
#
# Usage: sh tests/readme_test.sh SOURCE_FOLDER
set -eu
cd "$1"

block=$(mktemp)
trap 'rm -f "$block"' EXIT
awk '/^```/ { inside = !inside && $0 == "```c"; next } inside' README.md >"$block"
if ! diff -u docs/examples/first_store.c "$block"; then
    echo "The README's program differs from docs/examples/first_store.c"
    exit 1
fi

for page in README.md docs/*.md; do
    grep -o '](\([^)#:]*\)[)#]' "$page" | sed 's/^](//; s/.$//' | while read -r link; do
        [ -z "$link" ] || [ -e "$(dirname "$page")/$link" ] || echo "$page: $link leads nowhere"
    done
done >"$block"
if [ -s "$block" ]; then
    cat "$block"
    exit 1
fi

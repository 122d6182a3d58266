#!/bin/sh
# history_manual_test.sh - the commands in docs/history.md print what the page says.
#
# Usage: sh tests/history_manual_test.sh VERSO SOURCE_FOLDER
# Times differ from run to run, and so are made alike on both sides.
set -eu
verso_folder=$(dirname "$1")
page=$2/docs/history.md
PATH=$verso_folder:$PATH
export PATH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

without_times()
{
    sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/TIME/; s/[0-9]+\.[0-9]+ s$/TIME/'
}

awk '/^```/ { inside = !inside && $0 == "```console"; next } inside' "$page" >"$work/wanted"
grep '^\$ ' "$work/wanted" | sed 's/^\$ //' >"$work/commands"
[ -s "$work/commands" ] || { echo "$page has no commands"; exit 1; }

cd "$work"
while IFS= read -r command; do
    printf '$ %s\n' "$command"
    sh -c "$command" </dev/null 2>&1 || true # some of them are meant to fail
done <commands >printed

without_times <wanted >wanted.alike
without_times <printed >printed.alike
if ! diff -u wanted.alike printed.alike; then
    echo "$page differs from what the commands print"
    exit 1
fi

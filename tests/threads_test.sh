#!/bin/sh
# Every atomic word is reviewed in docs/threads.md, and every operation on one names its order.
#
# Usage: sh tests/threads_test.sh SOURCE_FOLDER
set -eu
cd "$1"
faults=0

# Operations without an order; atomic_init() has none.
if grep -rnE 'atomic_(load|store|exchange|fetch_[a-z]+|compare_exchange_[a-z]+)\(' src; then
    echo "name the order of these"
    faults=1
fi

# Declarations of fields and globals, which end the line's code with a semicolon.
names=$(grep -rhE '^( {4}|extern )?_Atomic[ (].*;' src |
    sed -E 's/;.*//; s/\[[^]]*\]$//; s/.*[ *]//' | sort -u)
[ "$(echo "$names" | wc -l)" -ge 40 ] || { echo "where are the declarations? $names"; faults=1; }
for name in $names; do
    grep -q "\`$name\`" docs/threads.md || { echo "docs/threads.md says nothing of $name"; faults=1; }
done
exit $faults

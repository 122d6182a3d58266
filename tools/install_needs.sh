#!/bin/sh
# Install those of the named Debian packages that are missing; elsewhere, say which they are.
#
# Usage: sh tools/install_needs.sh PACKAGE...
set -eu

installed()
{
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

if ! command -v dpkg-query >/dev/null 2>&1; then
    for tool in cc make cmake pkg-config; do
        command -v "$tool" >/dev/null 2>&1 || missing="${missing-} $tool"
    done
    if [ -n "${missing-}" ]; then
        echo "Not a Debian system; please install:$missing (see the package names: $*)" >&2
        exit 1
    fi
    exit 0
fi

missing=
for package in "$@"; do
    installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    echo "Missing packages:$missing" >&2
    echo "Neither root nor sudo here; please run: apt-get install$missing" >&2
    exit 1
fi

echo "Installing:$missing"
# $as_root and $missing are lists of words on purpose.
# shellcheck disable=SC2086
if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
    --no-install-recommends $missing; then
    $as_root apt-get update -q
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
        --no-install-recommends $missing
fi

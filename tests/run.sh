#!/bin/sh
# Install what is missing (Debian), build the release preset, run all tests.
#
# Usage: sh tests/run.sh [PRESET]      PRESET: release (default), debug, asan-ubsan, tsan
# VERSO_WERROR=ON makes warnings errors; without it a compiler newer than ours stops nobody.
set -eu
cd "$(dirname "$0")/.."
preset=${1:-release}

sh tools/install_needs.sh build-essential cmake pkg-config libcriterion-dev
if [ ! -d "build/$preset" ] && command -v ninja >/dev/null 2>&1; then
    CMAKE_GENERATOR=Ninja
    export CMAKE_GENERATOR
fi
cmake --preset "$preset" -D VERSO_WERROR="${VERSO_WERROR:-OFF}"
cmake --build --preset "$preset" --parallel "$(nproc)"
exec ctest --preset "$preset" --parallel "$(nproc)"

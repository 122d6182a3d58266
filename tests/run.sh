#!/bin/sh
# Install what is missing (Debian), build, run the tests.
#
# Usage: sh tests/run.sh            the sanitisers' share, then all tests of the release build
#        sh tests/run.sh PRESET     all tests of one build: release, debug, asan-ubsan, tsan
#
# The share: under the thread sanitiser the tests that run threads, under the address and undefined-
# behaviour sanitisers all tests of the engine with a third of the usual counts.
# VERSO_WERROR=ON makes warnings errors; without it a compiler newer than ours stops nobody.
set -eu
cd "$(dirname "$0")/.."

sh tools/install_needs.sh build-essential cmake pkg-config libcriterion-dev
if [ ! -d build ] && command -v ninja >/dev/null 2>&1; then
    CMAKE_GENERATOR=Ninja
    export CMAKE_GENERATOR
fi

# run_preset PRESET [SHARE]: SHARE is the preset of the build and of the tests, where that is another.
run_preset()
{
    cmake --preset "$1" -D VERSO_WERROR="${VERSO_WERROR:-OFF}"
    cmake --build --preset "${2:-$1}" --parallel "$(nproc)"
    ctest --preset "${2:-$1}" --parallel "$(nproc)"
}

if [ $# -gt 0 ]; then
    run_preset "$1"
else
    run_preset tsan tsan-share
    run_preset asan-ubsan asan-ubsan-share
    run_preset release
fi

#!/bin/sh
# install_test.sh - what is installed can be used: by pkg-config, by CMake, by C++, and as a command.
#
# Usage: sh tests/install_test.sh BUILD_FOLDER SOURCE_FOLDER FOLDER    FOLDER is made anew
set -eu
build=$1
source=$2
folder=$3
example=$source/docs/examples/first_store.c

rm -rf "$folder"
mkdir -p "$folder/project" "$folder/work"
cmake --install "$build" --prefix "$folder/prefix" >"$folder/log"
config=$(find "$folder/prefix" -name verso.pc)
libraries=$(dirname "$(dirname "$config")")
PKG_CONFIG_PATH=$(dirname "$config")
export PKG_CONFIG_PATH

# run PROGRAM WHAT: it must print what the example prints.
run()
{
    printed=$(cd "$folder/work" && rm -f first.verso* && LD_LIBRARY_PATH=$libraries "$1")
    if [ "$printed" != "$(cat "$source/docs/examples/first_store.out")" ]; then
        echo "FAILED: $2 printed: $printed"
        exit 1
    fi
}

echo "pkg-config"
# shellcheck disable=SC2046
"${CC:-cc}" "$example" $(pkg-config --cflags --libs verso) -o "$folder/by_pkg_config"
run "$folder/by_pkg_config" "the program built with pkg-config"

echo "find_package"
cat >"$folder/project/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.21)
project(example C)
find_package(Verso 0.1 REQUIRED)
add_executable(shared $example)
target_link_libraries(shared PRIVATE Verso::verso)
add_executable(static $example)
target_link_libraries(static PRIVATE Verso::verso_static)
END
cmake -S "$folder/project" -B "$folder/project/build" \
    -DCMAKE_PREFIX_PATH="$folder/prefix" >>"$folder/log"
cmake --build "$folder/project/build" >>"$folder/log"
run "$folder/project/build/shared" "the program built with Verso::verso"
run "$folder/project/build/static" "the program built with Verso::verso_static"

echo "C++"
if command -v c++ >/dev/null; then
    # shellcheck disable=SC2046
    c++ -x c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror "$example" \
        $(pkg-config --cflags --libs verso) -o "$folder/by_cxx"
    run "$folder/by_cxx" "the program built as C++"
fi

echo "the command"
"$folder/prefix/bin/verso" --version
"$folder/prefix/bin/verso" put "$folder/work/installed.verso" key value
[ "$("$folder/prefix/bin/verso" get "$folder/work/installed.verso" key)" = value ]

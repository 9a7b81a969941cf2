#!/usr/bin/env bash
# What CMake says of libraries that are too old, and that an older Boost beside a new one is passed over. Packages that do not
# exist stand in front of the system's.
# usage: configure_test.sh SOURCES
set -euo pipefail
cd "$1"
fail() { echo "FAILED: $*" >&2; exit 1; }
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

# A package as find_package sees it. $1: folder, $2: name, $3: version
package() {
  local place=$directory/$1/lib/cmake/$2-$3
  mkdir -p "$place"
  echo "message(STATUS \"taken: $2 $3\")" > "$place/$2Config.cmake"
  printf '%s\n' "set(PACKAGE_VERSION $3)" 'if(PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)' \
    '  set(PACKAGE_VERSION_COMPATIBLE FALSE)' 'else()' '  set(PACKAGE_VERSION_COMPATIBLE TRUE)' 'endif()' > "$place/$2ConfigVersion.cmake"
}
configure() {  # $1: name of the build, which is that of the folder of packages. What CMake says is in $said.
  said=$(cmake -S . -B "$directory/$1-build" -G Ninja -DBUILD_TESTING=OFF -DCMAKE_PREFIX_PATH="$directory/$1" 2>&1)
}

package old_simdjson simdjson 2.2.2
configure old_simdjson && fail "simdjson 2.2.2 is taken"
[[ $said == *"simdjson 2.2.2 is too old: EventGate needs simdjson 3.0 or later"* ]] || fail "simdjson 2.2.2: $said"

package old_boost Boost 1.74.0
configure old_boost || fail "with Boost 1.74 beside it: $said"
[[ $said != *"taken: Boost"* ]] || fail "Boost 1.74 is taken"

package old_yaml yaml-cpp 0.6.3
configure old_yaml && fail "yaml-cpp 0.6.3 is taken"
[[ $said == *"yaml-cpp 0.6.3 is too old: EventGate needs yaml-cpp 0.7 or later"* ]] || fail "yaml-cpp 0.6.3: $said"

# A simdjson without the stage 1 that is used: its headers come before the system's.
mkdir "$directory/headers"
echo 'namespace simdjson {}' > "$directory/headers/simdjson.h"
said=$(CXXFLAGS=-I$directory/headers cmake -S . -B "$directory/no-stage1" -G Ninja -DBUILD_TESTING=OFF 2>&1) && fail "another stage 1 is taken"
[[ $said == *"src/json/stage1.hpp does not fit simdjson"* ]] || fail "another stage 1: $said"
echo "older libraries are named, an older Boost is passed over"

#!/usr/bin/env bash
# What `./dev run` does about packages, with programs in the place of Debian's and CMake: it goes without libsystemd where
# installing it would upgrade packages of the machine, and says so; else it installs it. Of packages whose names differ between
# distributions it installs the one that apt offers.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
fail() { echo "FAILED: $*" >&2; exit 1; }

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
mkdir -p "$directory/bin" "$directory/build/valijson/usr/include/valijson"
cp "$root/dev" "$directory/dev"
touch "$directory/build/valijson/usr/include/valijson/validator.hpp"

program() { { echo '#!/usr/bin/env bash'; cat; } > "$directory/bin/$1"; chmod +x "$directory/bin/$1"; }
# Everything is installed but what $MISSING says.
export MISSING=libsystemd-dev
program dpkg-query <<'P'
for package in "${@:3}"; do [[ $package == $MISSING ]] || printf 'installed:%s ' "$package"; done
P
program apt-cache <<'P'
[[ $1 != madison || ${OFFERED:-} != *" $2 "* ]] || echo "$2 | 1.0 | http://example.org main"
P
program apt-get <<'P'
echo "$*" >> "$0.calls"
[[ $* != *" -s "* ]] || cat "$(dirname "$0")/simulated"
P
program sudo <<'P'
exec "$@"
P
# The gate does not start: the test ends there.
program cmake <<'P'
echo "$*" >> "$0.calls"
mkdir -p build
printf '#!/bin/sh\nexit 1\n' > build/eventgate
chmod +x build/eventgate
P

# Runs ./dev run where installing libsystemd-dev would do $1. What it says is in $said.
run() {
  rm -rf "$directory"/bin/*.calls "$directory/build/dev-arguments" "$directory/build/build.ninja"
  printf '%s\n' "$1" > "$directory/bin/simulated"
  said=$(cd "$directory" && PATH=$directory/bin:$PATH ./dev "${@:2}" run < /dev/null 2>&1) && fail "the gate started: $said"
  [[ $said == *"the gate did not start"* ]] || fail "it did not come to the gate's start: $said"
}

run $'Inst libsystemd0 [252.1-1] (252.2-1 Debian:12 [amd64])\nInst libsystemd-dev (252.2-1 Debian:12 [amd64])'
[[ $said == *"WITHOUT LIBSYSTEMD: installing libsystemd-dev would upgrade packages"* ]] || fail "it does not say so: $said"
grep -q -- '-DEVENTGATE_SYSTEMD=OFF' "$directory/bin/cmake.calls" || fail "$(cat "$directory/bin/cmake.calls")"
! grep -qE 'install -y.*libsystemd-dev' "$directory/bin/apt-get.calls" || fail "it is installed all the same"

run 'Inst libsystemd-dev (252.1-1 Debian:12 [amd64])'
[[ $said != *"WITHOUT LIBSYSTEMD"* ]] || fail "it goes without: $said"
grep -q -- '-DEVENTGATE_SYSTEMD=ON' "$directory/bin/cmake.calls" || fail "$(cat "$directory/bin/cmake.calls")"
grep -qE 'install -y.*libsystemd-dev' "$directory/bin/apt-get.calls" || fail "it is not installed"

run '' --no-install
[[ $said == *"WITHOUT LIBSYSTEMD: libsystemd-dev is not installed"* ]] || fail "it does not say so: $said"
[[ ! -e $directory/bin/apt-get.calls ]] || fail "something is installed: $(cat "$directory/bin/apt-get.calls")"

MISSING='libboost*' OFFERED=' libboost1.83-dev libboost1.88-dev ' run ''
grep -q 'install -y.* libboost1.83-dev$' "$directory/bin/apt-get.calls" || fail "$(cat "$directory/bin/apt-get.calls")"
MISSING='libboost1.8[1-7]-dev' run ''
! grep -q 'install -y' "$directory/bin/apt-get.calls" 2>/dev/null || fail "installed although there is a Boost: $(cat "$directory/bin/apt-get.calls")"
echo passed

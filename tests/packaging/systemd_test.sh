#!/usr/bin/env bash
# The units are what systemd takes, closed as far as promised, and in line with the config that is shipped.
# usage: systemd_test.sh EVENTGATE
set -euo pipefail
gate=$1
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v systemd-analyze >/dev/null || { echo "SKIPPED: there is no systemd-analyze (package systemd)"; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
for unit in eventgate.service eventgate.socket eventgate-tables.service eventgate-tables.timer; do  # the binary is where the package puts it only there
  sed "s|/usr/bin/eventgate|$gate|" "packaging/systemd/$unit" > "$directory/$unit"
done
said=$(systemd-analyze verify --man=no "$directory"/eventgate.service "$directory"/eventgate.socket "$directory"/eventgate-tables.* 2>&1) ||
  fail "systemd-analyze verify: $said"
[[ -z $said ]] || fail "systemd-analyze verify: $said"
systemd-analyze security --offline=true --no-pager --threshold=15 "$directory/eventgate.service" > "$directory/security" ||
  fail "an exposure of more than 1.5: $(cat "$directory/security")"
tail -n 1 "$directory/security"

setting() { sed -n "s/^$2=//p" "packaging/systemd/eventgate.$1"; }
option() { sed -n "s/^#\?$1: //p" config/config.yaml; }
expect() { [[ $1 == "$2" ]] || fail "$3: expected '$2', found '$1'"; }
expect "$(setting service Type)" notify Type
expect "$(setting service SystemCallErrorNumber)" EPERM SystemCallErrorNumber
expect "$(setting service DynamicUser)" yes DynamicUser
expect "$(setting service StateDirectory)" eventgate StateDirectory
expect "$(setting service WorkingDirectory)" %S/eventgate WorkingDirectory
expect "$(setting service LoadCredential)" eventgate.kafka-key LoadCredential
expect "$(setting socket ListenStream)" "$(option port)" "the port of the socket"
stop=$(setting service TimeoutStopSec) shutdown=$(option shutdown_timeout)
((${stop%s} > ${shutdown%s})) || fail "TimeoutStopSec=$stop: expected more than shutdown_timeout, $shutdown"
(($(setting service LimitNOFILE) > $(option max_connections))) || fail "LimitNOFILE: expected more than max_connections"

#!/usr/bin/env bash
# The README's curl command, as it stands there, against the shipped config: the event must be in a file.
# usage: readme_test.sh EVENTGATE
set -euo pipefail
gate=$1
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "FAILED: $*" >&2; cat "$directory/log" >&2; exit 1; }

directory=$(mktemp -d)
cat > "$directory/here.yaml" <<C
port: 0
interface: 127.0.0.1
metrics: {type: prometheus, port: 0}
output_path: $directory/events/
C
"$gate" serve -c config/config.yaml -c "$directory/here.yaml" > "$directory/log" 2>&1 &
pid=$!
trap 'kill -KILL "$pid" 2>/dev/null || true; rm -rf "$directory"' EXIT

port=
until [[ -n $port ]]; do
  kill -0 "$pid" 2>/dev/null || fail "the gate did not start"
  port=$(sed -n '/"msg":"listening"/s/.*"port":\([0-9]*\).*/\1/p' "$directory/log" | head -n 1)
  sleep 0.05
done

reply=$(bash -c "$(./dev example "$port")" 2>"$directory/curl") || fail "curl: $(cat "$directory/curl")"
[[ $reply == 'HTTP/1.1 201 All 1 out of 1 events were accepted.'* ]] || fail "expected a 201, got: $reply"

kill -TERM "$pid"
wait "$pid" || fail "expected the gate to exit with 0 on SIGTERM, got $?"

files=$(find "$directory/events" -name '*.ndjson')
[[ $files == "$directory/events/eqiad.mediawiki.interwiki_link_hover/year="*.ndjson ]] ||
  fail "expected one file of the stream's topic, got: $files"
[[ $(wc -l < "$files") == 1 ]] || fail "expected one event, got: $(cat "$files")"
for field in '"$schema": "/analytics/link_hover/1.1.0"' '"stream": "mediawiki.interwiki_link_hover"' \
    '"link_title": "Kranich"' '"id":"' '"dt":"20'; do
  grep -qF "$field" "$files" || fail "expected $field in: $(cat "$files")"
done

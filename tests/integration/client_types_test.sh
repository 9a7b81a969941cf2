#!/bin/bash
# The types of the browser client, and those that `eventgate schema types` writes, by TypeScript's compiler: what is right passes,
# and each mistake is an error in its line.
#
# usage: client_types_test.sh EVENTGATE     exits with 77 without TypeScript (`./dev test` brings it from npm)
set -euo pipefail

gate=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
compiler=$root/build/typescript/node_modules/typescript/bin/tsc
if [[ ! -e $compiler ]] || ! command -v node >/dev/null; then
  echo "NO TYPESCRIPT HERE: the types of the browser client are not tested (npm: typescript)"
  exit 77
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$root/clients/js/client.d.ts" "$folder/client.d.ts"
"$gate" schema types "$root/schemas" --streams "$root/config/stream-config.yaml" > "$folder/events.ts"
"$gate" schema types "$root/schemas" > "$folder/of_examples.ts"

cat > "$folder/good.ts" <<'T'
import { createClient, type DropReason } from './client';
import type { Schemas, Streams } from './events';
import type { Streams as OfExamples } from './of_examples';

const events = createClient<Streams>({ url: 'https://intake.example', streams: 'fetch', respect: ['gpc'] });
const result = events.submit('mediawiki.interwiki_link_hover', {
  $schema: '/analytics/link_hover/1.1.0', link_href: 'https://de.wikipedia.org', meta: { request_id: 'a' },
});
const reason: DropReason | undefined = result.accepted ? undefined : result.reason;
events.on('drop', (drop) => console.warn(drop.reason, drop.message, reason));
const hover: Schemas['analytics/link_hover']['link_href'] = 'a';
const test: Pick<OfExamples['test.event'], 'test'> = { test: hover };
createClient().submit('any.stream', { $schema: '/any/1.0.0', ...test });
events.flush().then(() => events.stats().dropped.queue_full);
T
cat > "$folder/bad.ts" <<'T'
import { createClient } from './client';
import type { Streams } from './events';
const events = createClient<Streams>();
events.submit('not.declared', { $schema: '/test/event/1.0.0' });
events.submit('test.event', { $schema: '/test/event/9.0.0' });
events.submit('test.event', { $schema: '/test/event/1.0.0', test: 7 });
events.submit('mediawiki.interwiki_link_hover', { $schema: '/analytics/link_hover/1.1.0' });
events.submit('mediawiki.interwiki_link_hover', { $schema: '/analytics/link_hover/1.1.0', link_href: '', link_hreff: '' });
createClient({ lingers: 1 });
createClient().submit('any.stream', { test: 'no schema' });
T

options=(--noEmit --strict --target es2020 --module es2020 --moduleResolution bundler --lib es2020,dom)
node "$compiler" "${options[@]}" "$folder/good.ts"
found=$(node "$compiler" "${options[@]}" "$folder/bad.ts" | sed -n 's/^.*bad\.ts(\([0-9]*\),.*error.*/\1/p' | sort -nu | tr '\n' ' ') || true
if [[ $found != "4 5 6 7 8 9 10 " ]]; then
  echo "expected an error in each of the lines 4 to 10 of bad.ts, found: $found"
  exit 1
fi
echo "types: as they should be"

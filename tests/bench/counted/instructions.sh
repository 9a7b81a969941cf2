#!/usr/bin/env bash
# What a request costs in instructions, by callgrind, held to what is stored: more than 3 % more is a failure, less is
# worth storing. Beside 5,000 readers of a quiet stream it may cost 2 % more than without, where there are file descriptors
# for them. Wall time and other work on the machine do not count.
#
# usage: instructions.sh COUNTED_REQUESTS [--store]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$1
stored=$here/instructions.txt
count=200

if ! command -v valgrind >/dev/null; then
  echo "SKIPPED: valgrind is not installed (./dev test installs it)"
  exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

{
  echo "# Instructions of a request: \`./dev bench --store-counts\` writes this, tests/bench/counted/instructions.sh compares."
  kinds=(one hundred invalid hasty beacon)
  if [[ $(ulimit -Hn) == unlimited ]] || (($(ulimit -Hn) >= 10100)); then
    kinds+=(one_beside_readers)
  else
    echo "SKIPPED: a request beside 5,000 readers: there are $(ulimit -Hn) file descriptors" >&2
  fi
  for kind in "${kinds[@]}"; do
    valgrind --tool=callgrind --callgrind-out-file="$work/out" --toggle-collect='eventgate::bench::post_counted*' \
      "$program" "$kind" "$count" >"$work/stdout" 2>"$work/stderr" || { cat "$work/stderr" >&2; exit 1; }
    awk -v kind="$kind" -v count="$count" '/^summary:|^totals:/ { total = $2 } END { printf "%s %.0f\n", kind, total / count }' \
      "$work/out"
  done
  echo "with $(cat "$work/stdout")"
} >"$work/now"

# A beacon is the same event as the hasty request, percent-encoded, with its user agent kept.
awk '$1 == "hasty" { hasty = $2 } $1 == "beacon" { beacon = $2 }
     END { printf "a beacon costs %.2f times the instructions of a hasty request\n", beacon / hasty
           if (beacon > 1.5 * hasty) { print "expected at most 1.5 times"; exit 1 } }' "$work/now"

if [[ ${2:-} == --store ]]; then
  cp "$work/now" "$stored"
  cat "$stored"
  exit
fi

if [[ $(grep '^with ' "$work/now") != "$(grep '^with ' "$stored")" ]]; then
  echo "SKIPPED: counts are stored $(grep '^with ' "$stored"), and these are $(grep '^with ' "$work/now")"
  exit 77
fi
awk 'NR == FNR { if (!/^#/) was[$1] = $2; next }
     /^#|^with / { next }
     { now[$1] = $2 }
     $1 == "one_beside_readers" {
       beside = 100 * ($2 - now["one"]) / now["one"]
       printf "%-8s %8d instructions beside idle readers: %+.1f %%\n", "one", $2, beside
       if (beside > 2) failed = 1
       next
     }
     { change = 100 * ($2 - was[$1]) / was[$1]
       printf "%-8s %8d instructions, stored %8d: %+.1f %%\n", $1, $2, was[$1], change
       if (change > 3) failed = 1
       if (change < -3) better = 1 }
     END { if (failed) print "too many more: find out why, or store them with `./dev bench --store-counts`"
           else if (better) print "more than 3 % fewer: store them with `./dev bench --store-counts`"
           exit failed || better }' "$stored" "$work/now"

#!/usr/bin/env bash
# The rules of ops/prometheus and the expressions of the dashboard are PromQL, and each alert fires when it has to and only
# then (alerts_test.yaml). Skipped (77) where there is no promtool.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

promtool=$(command -v promtool || echo build/prometheus/usr/bin/promtool)
if [[ ! -x $promtool ]]; then
  echo "skipped: there is no promtool (./dev test unpacks it from Debian's package prometheus)"
  exit 77
fi

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
# The dashboard's expressions as rules, which promtool reads. JSON is YAML.
python3 - > "$directory/dashboard.yaml" <<'P'
import json
with open("ops/grafana/eventgate.json") as file:
    panels = json.load(file)["panels"]
expressions = [target["expr"] for panel in panels for target in panel.get("targets", [])]
assert len(expressions) > 40, "expected the expressions of the panels"
rules = [{"record": f"dashboard:expression:{i}", "expr": expression.replace("$__range", "6h")}
         for i, expression in enumerate(expressions)]
print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
P
"$promtool" check rules ops/prometheus/recording.yaml ops/prometheus/alerts.yaml "$directory/dashboard.yaml"
"$promtool" test rules tests/ops/alerts_test.yaml

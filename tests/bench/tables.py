#!/usr/bin/env python3
"""Prints what questions cost in DuckDB: by the views of `eventgate tables`, over Parquet files of `compact`, and by DuckDB's own
guess of the columns of the same files. 500,000 events of 0.4 KB in 24 hours, one thread, CPU seconds, the median of 5.

usage: build/tables/python/bin/python tests/bench/tables.py [EVENTGATE]
"""

import json
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

import duckdb

GATE = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/eventgate").resolve()
EVENTS, HOURS = 500_000, 24


def event(number):
    return {"$schema": "/bench/view/1.0.0",
            "meta": {"stream": "bench.view", "id": f"b0caf18d-6c7f-4403-947d-{number:012d}", "dt": "2026-11-22T02:15:30.123Z",
                     "domain": "de.wikipedia.org", "request_id": f"1f2e3d4c-0000-0000-0000-{number:012d}"},
            "http": {"request_headers": {"user-agent": f"Mozilla/5.0 ({number % 97})", "accept-language": "de-DE,de;q=0.9"}},
            "page_title": f"Page {number % 5000}", "page_id": number % 5000, "is_redirect": number % 7 == 0, "seconds": number / 8}


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def median(action):
    costs = []
    for _ in range(5):
        began = cpu()
        action()
        costs.append(cpu() - began)
    return statistics.median(costs)


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tables-bench-"))
    text = {"type": "string"}
    schema = {"title": "bench/view", "$id": "/bench/view/1.0.0", "$schema": "https://json-schema.org/draft-07/schema#", "type": "object",
              "properties": {"$schema": text,
                             "meta": {"type": "object", "properties": {name: text for name in ("stream", "id", "dt", "domain", "request_id")}},
                             "http": {"type": "object", "properties": {"request_headers": {"type": "object", "additionalProperties": text}}},
                             "page_title": text, "page_id": {"type": "integer"}, "is_redirect": {"type": "boolean"},
                             "seconds": {"type": "number"}}}
    path = folder / "schemas/bench/view/1.0.0"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(schema))
    (folder / "streams.json").write_text(json.dumps({"bench.view": {"schema_title": "bench/view"}}))
    config = folder / "config.yaml"
    config.write_text(json.dumps({"schema_base_uris": [str(folder / "schemas")], "stream_config_uri": str(folder / "streams.json"),
                                  "topic_prefix": "eqiad.", "output_path": str(folder / "events") + "/", "error_stream": ""}))
    size = 0
    for hour in range(HOURS):
        part = folder / f"events/eqiad.bench.view/year=2026/month=01/day=22/hour={hour:02d}/part-a.ndjson"
        part.parent.mkdir(parents=True)
        part.write_text("".join(json.dumps(event(n), separators=(",", ":")) + "\n" for n in range(hour, EVENTS, HOURS)))
        size += part.stat().st_size
    print(f"{EVENTS} events of {size // EVENTS} bytes")

    def tables(*arguments):
        return subprocess.run([GATE, "tables", *arguments], capture_output=True, text=True, check=True).stdout

    connection = duckdb.connect(config={"threads": 1})
    connection.execute(tables("-c", str(config)))
    pattern = f"{folder}/events/eqiad.bench.view/year=*/month=*/day=*/hour=*/part-*.ndjson"
    guessed = f"read_json('{pattern}', format = 'newline_delimited', hive_partitioning = true)"

    def asked(source, header):
        hours = median(lambda: connection.execute(f"SELECT hour, count(*) FROM {source} GROUP BY hour").fetchall())
        headers = median(lambda: connection.execute(f"SELECT {header} AS ua, count(*) FROM {source} GROUP BY ua").fetchall())
        one = median(lambda: connection.execute(f"SELECT count(*) FROM {source} WHERE hour = 5").fetchall())
        return hours, headers, one

    rows = [("the view over NDJSON", asked("event.bench_view", "http.request_headers['user-agent']")),
            ("DuckDB's guess", asked(guessed, 'http.request_headers."user-agent"'))]
    began = cpu()
    connection.execute(tables("compact", "-c", str(config), "--run", "a"))
    compacted = cpu() - began
    tables("publish", "-c", str(config), "a")
    parquet = folder / "events-parquet"
    connection.execute(tables("-c", str(config), "--parquet", str(parquet)))
    rows.append(("the view over Parquet", asked("event.bench_view", "http.request_headers['user-agent']")))
    began = cpu()
    connection.execute(f"COPY (SELECT * FROM {guessed}) TO '{folder}/guessed' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (year, month, day, hour))")
    guessed_compacted = cpu() - began
    assert connection.execute("SELECT count(*) FROM event.bench_view").fetchall() == [(EVENTS,)]
    print(f"{'CPU seconds':24}{'count by hour':>16}{'a look into a map':>20}{'count of one hour':>20}")
    for name, costs in rows:
        print(f"{name:24}{costs[0]:16.2f}{costs[1]:20.2f}{costs[2]:20.2f}")
    print(f"to Parquet (zstd): {compacted:.2f}, by DuckDB's guess {guessed_compacted:.2f}")
    shutil.rmtree(folder)


main()

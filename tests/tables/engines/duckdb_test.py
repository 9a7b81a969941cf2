"""Tables in DuckDB: the statements are run by PyPI's duckdb, and by its command line as the README's line does."""

import json
import pathlib
import shutil
import subprocess
import time

from support import *

try:
    import duckdb
except ImportError:
    skip("PyPI's duckdb is not installed")

# The engine itself, not the script that starts it: it is killed.
CLI = next(ENGINES.glob("python/lib/python3*/site-packages/duckdb_cli/duckdb"), pathlib.Path("/no/duckdb"))
META = {"type": "object", "properties": {
    "stream": {"type": "string"}, "id": {"type": "string"}, "domain": {"type": "string"},
    "dt": {"type": "string", "format": "date-time"}}}


def connected(sql, database=":memory:"):
    connection = duckdb.connect(database)
    connection.execute(sql)
    return connection


def rows(connection, query):
    """Rows as JSON values."""
    return [json.loads(row[0]) for row in connection.execute(f"SELECT to_json(t) FROM ({query}) AS t").fetchall()]


def pages(name="shop.view", **settings):
    """A site with one stream of the schema `shop/view`."""
    site = Site()
    site.schema("shop/view", "1.0.0", {
        "$schema": {"type": "string"}, "meta": META, "session_token": {"type": "string"}, "page": {"type": "string"},
        "count": {"type": "integer"}, "labels": {"type": "object", "additionalProperties": {"type": "string"}}})
    site.stream(name, "shop/view", **settings)
    return site


def view(number, stream="shop.view", **fields):
    return {"$schema": "/shop/view/1.0.0", "meta": {"stream": stream, "id": f"id-{number}", "dt": "2026-11-22T02:00:00Z"},
            "count": number, **fields}


def test_recorded_rows():
    recorded = recorded_rows()
    if not recorded:
        return
    site = Site()
    for number, case in enumerate(recorded):
        site.schema(f"t{number}", "1.0.0", case["schema"]["properties"])
        site.stream(f"t{number}", f"t{number}")
        # The view leaves out rows without $schema, as events never are.
        has_schema = "$schema" in case["schema"]["properties"]
        assert not has_schema or all("$schema" in event for event in case["events"])
        site.write(f"eqiad.t{number}", hours_ago(3), case["events"])
    connection = connected(site.tables())
    matching = 0
    for number, case in enumerate(recorded):
        columns = ", ".join(f'"{table_name(name)}" AS "{name}"' for name in case["duckdb"])
        found = rows(connection, f"SELECT {columns} FROM event.t{number}")
        if found == case["duckdb_rows"]:
            matching += 1
        else:
            print(f"{case['name']}: found {found}, expected {case['duckdb_rows']}")
    print(f"rows of DuckDB: {matching} of {len(recorded)} match")
    assert matching == len(recorded)
    site.remove()


def test_examples_of_wikimedia_read_back_whole():
    site, schemas = wikimedia_site()
    if not site:
        print("no schemas of Wikimedia: not tested")
        return
    config = site.config()
    checked = run("tables", "-c", config, "--check").stdout
    assert checked.endswith("no problems\n"), checked
    site.start()
    accepted = {}
    for stream, schema in schemas.items():
        events = [example for example in schema.get("examples", []) if isinstance(example, dict)]
        for event in events:
            event.setdefault("meta", {})["stream"] = stream
            event["$schema"] = schema["$id"]
        if events:
            status, reply = site.post(events)
            accepted[stream] = len(events) if status == 201 else 0
            assert status == 201, f"{stream}: {status} {reply[:600]}"
    site.stop()
    connection = connected(site.tables())
    whole = total = 0
    for stream, count in accepted.items():
        schema, written = schemas[stream], site.written("eqiad." + stream)
        assert len(written) == count, stream
        columns = ", ".join(f'"{table_name(name)}" AS "{name}"' for name in schema["properties"])
        found = rows(connection, f"SELECT {columns} FROM event.{table_name(stream)}")
        for row, event in zip(found, written):
            total += 1
            expected = known_part(schema, event)
            if same(without_nulls(row), without_nulls(expected)):
                whole += 1
            else:
                print(f"{stream}: found {without_nulls(row)}, expected {without_nulls(expected)}")
        assert len(found) == len(written), stream
    print(f"examples of the primary repository that read back whole: {whole} of {total} match")
    assert whole == total and total > 40
    site.remove()


def test_questions():
    """The questions that the documents answer."""
    site = pages()
    site.bases = [str(ROOT / "schemas")]
    site.stream("shop.click", "shop/view")
    site.stream("eventgate.error.validation", "error")
    site.options = {"error_stream": "eventgate.error.validation"}
    site.start()
    status, reply = site.post([view(1, page="a", session_token="s1", labels={"user-agent": "x"}), view(2, page="a"),
                               view(3, page="b", session_token="s2"),
                               view(4, "shop.click", page="a", session_token="s1")])
    assert status == 201, reply
    assert site.post([{**view(5), "count": "many"}, {**view(6), "count": "much"}])[0] == 400
    site.stop()
    connection = connected(site.tables())

    def answers(query):
        return connection.execute(query).fetchall()

    assert answers("""SELECT page, count(*) FROM event.shop_view
                      WHERE make_date(year, month, day) >= current_date - 1 GROUP BY ALL ORDER BY ALL""") == [("a", 2), ("b", 1)]
    assert answers("""SELECT v.meta.id, c.meta.id FROM event.shop_view v JOIN event.shop_click c
                      USING (session_token, year, month, day, hour)""") == [("id-1", "id-4")]
    assert answers("""SELECT errored_schema_uri, message, count(*) FROM event.eventgate_error_validation
                      WHERE make_date(year, month, day) >= current_date - 1
                      GROUP BY ALL""") == [("/shop/view/1.0.0", "'.count' should be integer", 2)]
    assert answers("SELECT labels['user-agent'] FROM event.shop_view WHERE meta.id = 'id-1'") == [("x",)]
    assert answers("SELECT count FROM event.shop_view WHERE meta.id = 'id-3'") == [(3,)]
    site.remove()


def test_what_breaks_no_query():
    site = pages(topic_prefixes=["eqiad.", "codfw."])
    site.stream("shop.empty", "shop/view")
    site.write("eqiad.shop.view", hours_ago(3), [view(1)], tail='{"$schema":"/shop/view/1.0.0","count":')
    site.write("eqiad.shop.view", hours_ago(2), [view(2), {**view(3), "count": 1e20}])
    connection = connected(site.tables())
    assert connection.execute("SELECT count, datacenter FROM event.shop_view ORDER BY meta.id").fetchall() == [
        (1, "eqiad"), (2, "eqiad"), (None, "eqiad")]
    assert connection.execute("SELECT * FROM event.shop_empty").fetchall() == []

    # A second datacentre, and a version with a column and a field more: `tables` again, no data touched.
    site.write("codfw.shop.view", hours_ago(2), [view(4)])
    site.schema("shop/view", "1.1.0", {
        "$schema": {"type": "string"}, "meta": {"type": "object", "properties": {**META["properties"], "request_id": {"type": "string"}}},
        "count": {"type": "integer"}, "added": {"type": "number"}})
    site.write("codfw.shop.view", hours_ago(2), [{**view(5), "$schema": "/shop/view/1.1.0", "added": 2,
                                                  "meta": {"id": "id-5", "request_id": "r"}}])
    connection.execute(site.tables())
    assert connection.execute("""SELECT count, added, meta.request_id, page, datacenter FROM event.shop_view
                                 ORDER BY meta.id""").fetchall() == [
        (1, None, None, None, "eqiad"), (2, None, None, None, "eqiad"), (None, None, None, None, "eqiad"),
        (4, None, None, None, "codfw"), (5, 2.0, "r", None, "codfw")]
    # Partitions that a question does not need are not read: a broken file there would fail even this.
    plan = connection.execute(f"""EXPLAIN ANALYZE SELECT any_value(page) FROM event.shop_view
                                  WHERE hour = {hours_ago(3).hour} AND datacenter = 'eqiad'""").fetchall()[0][1]
    assert "Scanning Files: 1/2" in plan, plan

    for path in (site.hour_folder("eqiad.shop.view", hours_ago(3))).iterdir():
        path.unlink()
    assert connection.execute("SELECT count(*) FROM event.shop_view").fetchall() == [(4,)]
    site.remove()


def test_canaries_repeats_and_hours():
    site = pages()
    canary = {**view(7), "meta": {**view(7)["meta"], "domain": "canary"}}
    site.write("eqiad.shop.view", hours_ago(3), [view(1), {"$schema": "/shop/view/1.0.0", "count": 9}, canary])
    site.write("eqiad.shop.view", hours_ago(2), [view(1, page="again"), {"$schema": "/shop/view/1.0.0", "count": 8}])
    count = "SELECT count(*) FROM event.shop_view"
    assert connected(site.tables()).execute(count).fetchall() == [(4,)]
    assert connected(site.tables("--raw")).execute(count).fetchall() == [(5,)]
    unique = connected(site.tables("--unique"))
    assert unique.execute("SELECT count, page FROM event.shop_view ORDER BY count").fetchall() == [(1, None), (8, None), (9, None)]
    assert unique.execute("SELECT DISTINCT hour FROM event.shop_view WHERE count = 8").fetchall() == [(hours_ago(2).hour,)]
    site.remove()


def test_timestamps():
    site = Site()
    moment = {"type": "string", "format": "date-time"}
    struct = {"type": "object", "properties": {"dt": moment}}
    site.schema("times", "1.0.0", {"$schema": {"type": "string"}, "dt": moment, "meta": struct,
                                   "list": {"type": "array", "items": struct},
                                   "map": {"type": "object", "additionalProperties": moment}})
    site.stream("times", "times")
    site.write("eqiad.times", hours_ago(3), [
        {"$schema": "/times/1.0.0", "dt": "2026-01-02T03:04:05.006Z", "meta": {"dt": "2016-12-31T23:59:60Z"},
         "list": [{"dt": "2026-01-02T03:04:05+01:00"}], "map": {"k": "2026-01-02T03:04:05Z"}}])
    connection = connected("SET TimeZone = 'UTC';" + site.tables("--timestamps"))
    assert connection.execute("""SELECT typeof(dt), dt::VARCHAR, meta.dt, list[1].dt::VARCHAR, map['k']::VARCHAR
                                 FROM event.times""").fetchall() == [
        ("TIMESTAMP WITH TIME ZONE", "2026-01-02 03:04:05.006+00", None, "2026-01-02 02:04:05+00", "2026-01-02 03:04:05+00")]
    site.remove()


def test_the_line_of_the_readme():
    if not CLI.exists():
        print("PyPI's duckdb-cli is not installed: not tested")
        return
    site = pages()
    site.write("eqiad.shop.view", hours_ago(3), [view(1), view(2)])
    database = site.folder / "events.db"
    for _ in range(2):  # it can be run again
        subprocess.run(f"{GATE} tables -c {site.config()} | {CLI} {database}", shell=True, check=True)
    query = [CLI, "-csv", "-noheader", database, "SELECT count(*) FROM event.shop_view"]
    assert subprocess.run(query, capture_output=True, text=True, check=True).stdout == "2\n"
    # A statement that fails leaves all views as they were.
    site.stream("shop.gone", "shop/view")
    site.write("eqiad.shop.gone", hours_ago(3), [view(1)])
    printed = site.tables().replace('"$schema" AS "_schema"', "1 AS one")
    shutil.rmtree(site.events / "eqiad.shop.gone")
    failed = subprocess.run([CLI, database], input=printed, capture_output=True, text=True, check=False)
    assert "No files found" in failed.stderr, failed
    assert subprocess.run(query, capture_output=True, text=True, check=True).stdout == "2\n"
    site.remove()


def test_names_that_need_quotes():
    site = Site()
    site.schema("odd", "1.0.0", {"$schema": {"type": "string"}, "it's \"odd\"": {"type": "string"},
                                 "order": {"type": "object", "properties": {"select \"x\"": {"type": "integer"}}}})
    site.stream("3.o'dd", "odd", topics=["eqiad.odd"])
    site.write("eqiad.odd", hours_ago(3), [{"$schema": "/odd/1.0.0", "it's \"odd\"": "a", "order": {"select \"x\"": 5}}])
    folder = site.folder / "it's [a] *folder?"
    site.events.rename(folder)
    connection = connected(site.tables("--files", str(folder)))
    odd = 'SELECT _schema, it_s__odd_, "order"."select ""x""", datacenter FROM event.__o_dd'
    assert connection.execute(odd).fetchall() == [
        ("/odd/1.0.0", "a", 5, None)]
    site.events = folder
    site.remove()


def test_a_regex_stream_is_a_table_for_each_of_its_streams():
    site = pages("/^jobs\\..+/")
    site.write("eqiad.jobs.a", hours_ago(3), [view(1)])
    site.write("codfw.jobs.a", hours_ago(3), [view(2)])
    site.write("eqiad.jobs.b-c", hours_ago(3), [view(3)])
    connection = connected(site.tables())
    assert connection.execute("SELECT count, datacenter FROM event.jobs_a ORDER BY ALL").fetchall() == [(1, "eqiad"), (2, "codfw")]
    assert connection.execute("SELECT count FROM event.jobs_b_c").fetchall() == [(3,)]
    site.remove()


def test_compacted_events_are_the_same():
    site = pages()
    site.write("eqiad.shop.view", hours_ago(30), [view(1, labels={"k": "v"}), view(2)], tail="{half")
    site.write("eqiad.shop.view", hours_ago(5), [{**view(3), "meta": {"id": "id-3", "domain": "canary"}}])
    site.write("eqiad.shop.view", hours_ago(4), [], tail="{half")
    site.write("eqiad.shop.view", hours_ago(0), [view(9)])
    site.command("publish", "none", status=1)
    connected(site.command("compact", "--run", "a").stdout)
    assert "published 2 hours; 1 had no events" in site.command("publish", "a").stdout
    parquet = site.folder / "events-parquet"
    connection = connected(site.tables("--parquet", str(parquet), "--raw"))
    query = "SELECT * EXCLUDE (year) FROM event.shop_view WHERE count < 9 ORDER BY count"
    assert rows(connection, query) == rows(connected(site.tables("--raw")), query)
    assert len(rows(connection, query)) == 3 and not list(parquet.glob(".new-*"))

    # Nothing but the hour without events is left to do, until a file of an hour is newer than its Parquet files.
    assert site.command("compact", "--run", "b").stdout.count("part-*") == 1
    connected(site.command("compact", "--run", "c").stdout)
    site.write("eqiad.shop.view", hours_ago(30), [view(4)], "part-late.ndjson")
    sql = site.command("compact", "--run", "d").stdout
    assert sql.count("part-*") == 2, sql
    connected(sql)
    published = site.command("publish", "d").stdout
    assert "published 1 hours" in published and "removed 2 unfinished runs" in published, published
    # A version with more fields: the Parquet files of older hours lack them.
    site.schema("shop/view", "1.1.0", {"$schema": {"type": "string"}, "meta": {"type": "object", "properties": {
        **META["properties"], "request_id": {"type": "string"}}}, "count": {"type": "integer"}, "added": {"type": "boolean"}})
    connection.execute(site.tables("--parquet", str(parquet), "--raw"))
    assert connection.execute("SELECT count, added, meta.request_id, page FROM event.shop_view ORDER BY count").fetchall() == [
        (number, None, None, None) for number in (1, 2, 3, 4)]
    site.remove()


def test_an_engine_killed_in_compact_loses_nothing():
    """Kills DuckDB at many points of a run. No state shows an event twice or not at all, once a run is through."""
    if not CLI.exists():
        print("PyPI's duckdb-cli is not installed: not tested")
        return
    site = pages()
    total = 0
    for day in range(3):
        for hour in range(4):
            site.write("eqiad.shop.view", hours_ago(30 + 24 * day + hour), [view(total + n, page="x" * 200) for n in range(2000)])
            total += 2000
    parquet = site.folder / "events-parquet"
    killed = 0
    for attempt in range(6):
        run_name = f"killed-{attempt}"
        sql = site.command("compact", "--run", run_name).stdout
        engine = subprocess.Popen([CLI], stdin=subprocess.PIPE, text=True)
        if attempt % 2:
            # At the first files that it has written, or soon after.
            engine.stdin.write(sql)
            engine.stdin.close()
            written = parquet / f".new-{run_name}"
            while engine.poll() is None and len(list(written.rglob("*.parquet"))) < attempt:
                pass
        else:
            # Between two statements.
            engine.stdin.write(sql[:sql.index("COPY", 1 + len(sql) * attempt // 8)])
            engine.stdin.flush()
            time.sleep(0.1 * attempt)
        engine.kill()
        engine.wait()
        if not (parquet / f".new-{run_name}" / "partitions.csv").exists():
            killed += 1
            assert "has not finished" in site.command("publish", run_name, status=1).stderr
        assert not list(parquet.glob("eqiad*")), "an unfinished run is in place"
    print(f"killed {killed} of 6 runs")
    assert killed > 0
    subprocess.run([CLI], input=site.command("compact", "--run", "last").stdout, text=True, check=True)
    site.command("publish", "last")
    connection = connected(site.tables("--parquet", str(parquet)))
    assert connection.execute("SELECT count(*), count(DISTINCT meta.id) FROM event.shop_view").fetchall() == [(total, total)]
    assert [path.name for path in parquet.iterdir()] == ["eqiad.shop.view"]
    site.remove()


def test_purge():
    site = pages()
    site.stream("shop.short", "shop/view", retention="48h")
    site.stream("shop.kept", "shop/view", retention="none")
    site.options = {"output_retention": "5d"}
    for topic in ("eqiad.shop.view", "eqiad.shop.short", "eqiad.shop.kept"):
        for ago in (3, 60, 130):
            site.write(topic, hours_ago(ago), [view(1)])
    connected(site.command("compact", "--run", "a").stdout)
    site.command("publish", "a")
    listed = site.command("purge").stdout.splitlines()
    assert sorted(pathlib.Path(line).relative_to(site.folder).parts[:2] for line in listed) == sorted(
        [("events", "eqiad.shop.view"), ("events-parquet", "eqiad.shop.view")] +
        2 * [("events", "eqiad.shop.short"), ("events-parquet", "eqiad.shop.short")]), listed
    assert all(pathlib.Path(line).is_dir() for line in listed)
    assert site.command("purge", "--yes").stdout.splitlines() == listed
    assert not any(pathlib.Path(line).exists() for line in listed)
    assert site.command("purge").stdout == ""
    site.write("eqiad.shop.view", hours_ago(24 * 20), [view(1)])
    assert "nothing is deleted" in site.command("purge", status=1).stderr
    assert len(site.command("purge", "--yes").stdout.splitlines()) == 1
    site.remove()


def test_bad_input_is_named_and_nothing_is_half_made():
    site = pages()
    site.stream("shop-view", "shop/view")
    site.schema("clash", "1.0.0", {"a-b": {"type": "string"}, "A_b": {"type": "string"}, "Hour": {"type": "string"}})
    site.stream("clash", "clash")
    site.stream("none", "no/schema")
    site.schema("scalar", "1.0.0", {})
    site.stream("scalar", "scalar")
    site.stream("wrong.retention", "shop/view", retention="0d")
    site.schema("union", "1.0.0", {"u": {"type": ["string", "integer"]}})
    site.stream("union", "union")
    checked = site.tables("--check", status=1)
    for text in ("problem: stream 'shop-view': expected another table than 'shop_view', which is that of the stream 'shop.view'",
                 "problem: stream 'clash': schema /clash/1.0.0: /properties/A_b: expected a name that differs from 'a-b'",
                 "problem: stream 'clash': schema /clash/1.0.0: /properties/Hour: expected another name",
                 "problem: stream 'none': expected a version of the schema 'no/schema'",
                 "problem: stream 'scalar': schema /scalar/1.0.0: /properties: expected the fields",
                 "problem: Stream 'wrong.retention': retention is \"0d\", expected whole hours or days",
                 "warning: stream 'union': schema /union/1.0.0: /properties/u: a union; the column is JSON text"):
        assert text in checked, f"{text}\n{checked}"
    for arguments in ([], ["--engine", "spark"], ["--json"], ["--engine", "iceberg", "--connect"], ["--alter", "--engine", "hive"]):
        failed = run("tables", "-c", site.config(), *arguments, status=1)
        assert failed.stdout == "" and "stream 'clash'" in failed.stderr, failed
    assert run("tables", "compact", "-c", site.config(), status=1).stdout == ""
    assert not (site.folder / "events-parquet").exists()
    assert "shop_view" in site.tables("shop.view"), "streams that are named do not depend on others"
    assert "stream 'lost'" in run("tables", "-c", site.config(), "lost", status=1).stderr
    for option in ("--files", "--parquet"):
        missing = run("tables", "-c", site.config(), option, "/no/such/folder", status=1)
        assert missing.stdout == "" and option + ": '/no/such/folder': expected a folder" in missing.stderr, missing
    site.events.rename(site.folder / "elsewhere")
    assert "output_path: '" in run("tables", "-c", site.config(), "shop.view", status=1).stderr
    site.remove()


tests_of(globals())

"""Tables in Spark, Hive's statements by Spark and Hive's own parser, and Iceberg's: one session, because its start takes the longest."""

import json
import os
import pathlib
import sys

from support import *

jars = ENGINES / "jars"
if not list(jars.glob("iceberg-spark-runtime-*.jar")) or not list(jars.glob("hive-hcatalog-core-*.jar")):
    skip("the jars of Iceberg and Hive are not there (Maven)")
try:
    from pyspark.sql import SparkSession
except ImportError:
    skip("PyPI's pyspark is not installed")

WAREHOUSE = Site()
os.environ["PYSPARK_PYTHON"] = sys.executable
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
os.environ["HADOOP_USER_NAME"] = "test"
os.chdir(WAREHOUSE.folder)
SPARK = (SparkSession.builder.master("local[1]").appName("tables")
         .config("spark.ui.enabled", "false")
         .config("spark.ui.showConsoleProgress", "false")
         .config("spark.hadoop.javax.jdo.option.ConnectionURL", "jdbc:derby:memory:metastore;create=true")
         .config("spark.jars", ",".join(str(path) for path in jars.glob("*.jar") if "kafka-connect" not in path.name))
         .config("spark.sql.shuffle.partitions", "1")
         .config("spark.sql.session.timeZone", "UTC")
         .config("spark.sql.warehouse.dir", str(WAREHOUSE.folder / "warehouse"))
         .config("spark.driver.extraJavaOptions", f"-Dderby.system.home={WAREHOUSE.folder} -XX:TieredStopAtLevel=1")
         .config("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
         .config("spark.sql.catalog.lake.type", "hadoop")
         .config("spark.sql.catalog.lake.warehouse", str(WAREHOUSE.folder / "lake"))
         .enableHiveSupport().getOrCreate())
SPARK.sparkContext.setLogLevel("OFF")

META = {"type": "object", "properties": {
    "stream": {"type": "string"}, "id": {"type": "string"}, "domain": {"type": "string"},
    "dt": {"type": "string", "format": "date-time"}}}


def statements(sql):
    """Splits at the ends of statements. No name in these tests has one."""
    return [one.strip() for one in sql.split(";\n") if one.strip()]


def execute(sql):
    for one in statements(sql):
        SPARK.sql(one)


def rows(query):
    return [tuple(row) for row in SPARK.sql(query).collect()]


def shop(name):
    site = Site()
    site.schema("shop/view", "1.0.0", {
        "$schema": {"type": "string"}, "meta": META, "count": {"type": "integer"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}}})
    site.stream(name, "shop/view", topic_prefixes=["eqiad.", "codfw."])
    return site


def view(number, **fields):
    return {"$schema": "/shop/view/1.0.0", "meta": {"id": f"id-{number}", "dt": "2026-11-22T02:00:00Z"}, "count": number, **fields}


def new_version(site):
    site.schema("shop/view", "1.1.0", {
        "$schema": {"type": "string"}, "meta": {"type": "object", "properties": {**META["properties"], "request_id": {"type": "string"}}},
        "count": {"type": "integer"}, "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "added": {"type": "array", "items": {"type": "number"}}})


def test_recorded_rows():
    recorded = recorded_rows()
    if not recorded:
        return
    site = Site()
    for number, case in enumerate(recorded):
        site.schema(f"g{number}", "1.0.0", case["schema"]["properties"])
        site.stream(f"g{number}", f"g{number}")
        site.write(f"eqiad.g{number}", hours_ago(3), case["events"])
    execute(site.tables("--engine", "spark"))
    matching = 0
    for number, case in enumerate(recorded):
        columns = ", ".join(f"`{table_name(name)}` AS `{name}`" for name in case["spark"])
        found = [json.loads(row[0]) for row in rows(f"SELECT to_json(struct(*)) FROM (SELECT {columns} FROM event.g{number})")]
        if found == case["spark_rows"]:
            matching += 1
        else:
            print(f"{case['name']}: found {found}, expected {case['spark_rows']}")
    print(f"rows of Spark: {matching} of {len(recorded)} match")
    assert matching == len(recorded)
    site.remove()


def test_spark():
    site = shop("spark.view")
    site.stream("spark.empty", "shop/view")
    site.write("eqiad.spark.view", hours_ago(3), [view(1, labels={"user-agent": "x"})], tail='{"$schema":"/shop')
    site.write("codfw.spark.view", hours_ago(2), [view(2), {**view(3), "meta": {"id": "id-3", "domain": "canary"}}, view(1)])
    for _ in range(2):  # they can be run again
        execute(site.tables("--engine", "spark"))
    assert rows("SELECT count, labels['user-agent'], datacenter FROM event.spark_view ORDER BY count, datacenter") == [
        (1, None, "codfw"), (1, "x", "eqiad"), (2, None, "codfw")]
    assert rows(f"SELECT count FROM event.spark_view WHERE hour = {hours_ago(3).hour} AND datacenter = 'eqiad'") == [(1,)]
    assert rows("SELECT * FROM event.spark_empty") == []
    execute(site.tables("--engine", "spark", "--unique", "--timestamps", "spark.view"))
    assert rows("SELECT count, datacenter, CAST(meta.dt AS STRING) FROM event.spark_view ORDER BY count") == [
        (1, "eqiad", "2026-11-22 02:00:00"), (2, "codfw", "2026-11-22 02:00:00")]

    # A new column is added; a new field of a struct makes the table anew. What the engine cannot change is an error.
    execute(site.tables("--engine", "spark"))
    site.schema("shop/view", "1.0.1", {**json.loads((site.folder / "schemas/shop/view/1.0.0").read_text())["properties"],
                                       "note": {"type": "string"}})
    site.write("eqiad.spark.view", hours_ago(3), [view(4, note="n")], "part-b.ndjson")
    changes = site.tables("--engine", "spark", "--alter")
    assert "ADD COLUMNS (`note` STRING)" in changes and "DROP TABLE" not in changes, changes
    execute(changes)
    SPARK.sql("REFRESH TABLE event.eqiad_spark_view_json")  # this session knows the sizes of the files before
    assert rows("SELECT note FROM event.spark_view WHERE count = 4") == [("n",)]
    new_version(site)
    site.write("eqiad.spark.view", hours_ago(3), [{**view(5, added=[1.5]), "meta": {"id": "id-5", "request_id": "r"}}], "part-b.ndjson")
    execute(site.tables("--engine", "spark", "--alter", "--from", "1.0.0"))
    assert rows("SELECT added, meta.request_id, note FROM event.spark_view WHERE count = 5") == [([1.5], "r", None)]
    site.schema("shop/view", "2.0.0", {"$schema": {"type": "string"}, "count": {"type": "string"},
                                       "meta": {"type": "object", "properties": {"id": {"type": "string"}}}})
    failed = run("tables", "-c", site.config(), "--engine", "spark", "--alter", "spark.view", status=1)
    assert failed.stdout == "" and "from /shop/view/1.1.0 to /shop/view/2.0.0: /properties/count: expected the type BIGINT" in failed.stderr, failed
    assert "/properties/meta: expected its field 'domain'" in failed.stderr, failed
    site.remove()


def test_spark_reads_parquet_of_compact():
    try:
        import duckdb
    except ImportError:
        print("PyPI's duckdb is not installed: not tested")
        return
    site = shop("parquet.view")
    site.write("eqiad.parquet.view", hours_ago(30), [view(1, labels={"k": "v"})])
    duckdb.connect().execute(site.command("compact", "--run", "a").stdout)
    site.command("publish", "a")
    execute(site.tables("--engine", "spark", "--parquet", str(site.folder / "events-parquet")))
    assert rows("SELECT _schema, labels['k'], meta.id FROM event.parquet_view") == [("/shop/view/1.0.0", "v", "id-1")]
    site.remove()


def test_hive():
    """Spark runs Hive's CREATE; its ALTER ... CASCADE, which Spark does not have, is parsed by Hive's own parser."""
    site = shop("hive.view")
    site.write("eqiad.hive.view", hours_ago(3), [view(1, labels={"user-agent": "x"})])
    site.write("codfw.hive.view", hours_ago(2), [view(2), {**view(3), "meta": {"id": "id-3", "domain": "canary"}}])
    create = site.tables("--engine", "hive")
    for _ in range(2):
        execute(create)
    assert rows("SELECT count, labels['user-agent'], datacenter, meta.dt FROM event.hive_view ORDER BY count") == [
        (1, "x", "eqiad", "2026-11-22T02:00:00Z"), (2, None, "codfw", "2026-11-22T02:00:00Z")]
    new_version(site)
    changes = site.tables("--engine", "hive", "--alter")
    assert "ADD COLUMNS (`added` ARRAY<DOUBLE>) CASCADE" in changes and "CHANGE COLUMN `meta` `meta` STRUCT<" in changes, changes
    parser = SPARK._jvm.org.apache.hadoop.hive.ql.parse.ParseDriver()
    parsed = statements(create) + statements(changes) + statements(site.tables("--engine", "hive", "--unique"))
    for one in parsed:
        parser.parse(one)
    print(f"statements that Hive 2.3.9 parses: {len(parsed)} of {len(parsed)} match")
    site.remove()


def test_iceberg():
    site = shop("iceberg.view")
    SPARK.sql("USE lake")
    try:
        for _ in range(2):
            execute(site.tables("--engine", "iceberg"))
        SPARK.sql("INSERT INTO event.iceberg_view SELECT '/shop/view/1.0.0', named_struct('stream', 's', 'id', 'i', "
                  "'domain', 'd', 'dt', '2026-11-22T02:00:00Z'), 1, map('k', 'v')")
        partition = rows("SELECT partition.* FROM event.iceberg_view.partitions")
        assert partition == [("2026-11-22T02",)], partition
        new_version(site)
        execute(site.tables("--engine", "iceberg", "--alter"))
        assert rows("SELECT `$schema`, meta.request_id, added, labels['k'] FROM event.iceberg_view") == [
            ("/shop/view/1.0.0", None, None, "v")]
        site.stream("iceberg.times", "shop/view")
        execute(site.tables("--engine", "iceberg", "--timestamps", "iceberg.times"))
        assert dict(SPARK.table("event.iceberg_times").dtypes)["meta"].count("dt:timestamp") == 1
    finally:
        SPARK.sql("USE spark_catalog.default")
    site.remove()


def test_primary_repository():
    """Every table of Wikimedia's primary repository is made, in all three dialects; their examples are read in Spark."""
    site, schemas = wikimedia_site("p.")
    if not site:
        print("no schemas of Wikimedia: not tested")
        return
    written = {}
    for stream, schema in schemas.items():
        written[stream] = [event for event in schema.get("examples", []) if isinstance(event, dict)]
        for event in written[stream]:
            event.setdefault("$schema", schema["$id"])
        if written[stream]:
            site.write("eqiad." + stream, hours_ago(3), written[stream])
    execute(site.tables("--engine", "spark"))
    whole = total = 0
    for stream, events in written.items():
        if not events:
            continue
        schema = schemas[stream]
        columns = ", ".join(f"`{table_name(name)}` AS `{name}`" for name in schema["properties"])
        found = [json.loads(row[0]) for row in rows(f"SELECT to_json(struct(*)) FROM (SELECT {columns} FROM event.{table_name(stream)})")]
        for row, event in zip(found, events):
            total += 1
            expected = without_nulls(known_part(schema, event))
            if same(without_nulls(row), expected):
                whole += 1
            else:
                print(f"{stream}: found {without_nulls(row)}, expected {expected}")
        assert len(found) == len(events), stream
    print(f"examples of the primary repository that Spark reads whole: {whole} of {total} match")
    assert whole == total and total > 40
    parser = SPARK._jvm.org.apache.hadoop.hive.ql.parse.ParseDriver()
    for one in statements(site.tables("--engine", "hive")):
        parser.parse(one)
    site.remove()


try:
    tests_of(globals())
finally:
    SPARK.stop()
    WAREHOUSE.remove()

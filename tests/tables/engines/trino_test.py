"""Trino's statements are parsed by Trino's own parser, not run; the sink's config is held to the option names of its jar."""

import json
import zipfile

from support import *

if not list((ENGINES / "trino").glob("trino-parser-*.jar")):
    skip("Trino's parser is not there (Maven)")
try:
    import jpype
except ImportError:
    skip("PyPI's JPype1 is not installed")

META = {"type": "object", "properties": {"id": {"type": "string"}, "domain": {"type": "string"},
                                         "dt": {"type": "string", "format": "date-time"}}}
CONNECT = {"connector.class", "tasks.max", "topics", "key.converter", "value.converter", "value.converter.schemas.enable"}

jpype.startJVM(classpath=[str(path) for path in (ENGINES / "trino").glob("*.jar")], convertStrings=True)
PARSER = jpype.JClass("io.trino.sql.parser.SqlParser")()


def shop():
    site = Site()
    struct = {"type": "object", "properties": {"dt": {"type": "string", "format": "date-time"}, "n o": {"type": "integer"}}}
    site.schema("shop/view", "1.0.0", {
        "$schema": {"type": "string"}, "meta": META, "count": {"type": "integer"}, "it's": {"type": "number"},
        "labels": {"type": "object", "additionalProperties": struct}, "list": {"type": "array", "items": struct},
        "any": {"description": "anything"}, "flag": {"type": "boolean"}})
    site.stream("shop.view", "shop/view", topic_prefixes=["eqiad.", "codfw."])
    site.stream("shop.empty", "shop/view")
    site.write("eqiad.shop.view", hours_ago(3), [{"$schema": "/shop/view/1.0.0"}])
    site.write("codfw.shop.view", hours_ago(3), [{"$schema": "/shop/view/1.0.0"}])
    return site


def parsed(sql):
    ones = [one.strip() for one in sql.split(";\n") if one.strip()]
    for one in ones:
        try:
            PARSER.createStatement(one)
        except jpype.JException as error:
            raise AssertionError(f"{one}\n{error}") from error
    return len(ones)


def test_trino_parses_all_statements():
    site = shop()
    count = 0
    for arguments in ([], ["--unique"], ["--raw"], ["--timestamps"], ["--parquet", str(site.events)]):
        count += parsed(site.tables("--engine", "trino", *arguments))
    wikimedia, _ = wikimedia_site()
    if wikimedia:
        for arguments in ([], ["--timestamps"]):
            count += parsed(wikimedia.tables("--engine", "trino", *arguments))
        wikimedia.remove()
    print(f"statements that Trino 435 parses: {count} of {count} match")
    assert count > 20
    site.remove()


def test_trino_refuses_what_is_no_statement():
    try:
        PARSER.createStatement("CREATE VIEW AS nothing")
    except jpype.JException:
        return
    raise AssertionError("the parser takes anything")


def test_the_options_of_the_sink_are_there():
    jar = next((ENGINES / "jars").glob("iceberg-kafka-connect-*.jar"), None)
    if not jar:
        print("the jar of Iceberg's sink is not there: not tested")
        return
    site = shop()
    config = json.loads(site.tables("--engine", "iceberg", "--connect"))["config"]
    with zipfile.ZipFile(jar) as classes:
        known = classes.read("org/apache/iceberg/connect/IcebergSinkConfig.class")
        assert config["connector.class"].replace(".", "/") + ".class" in classes.namelist()
    for name in set(config) - CONNECT:
        if name.startswith("iceberg.table."):
            assert name.endswith(".route-regex") and b"iceberg.table." in known and b"route-regex" in known, name
        elif name.startswith("iceberg.catalog."):
            assert b"iceberg.catalog." in known, name
        else:
            assert name.encode() in known, name
    assert config["topics"] == "eqiad.shop.view,codfw.shop.view,eqiad.shop.empty"
    assert config["iceberg.tables"] == "event.shop_view,event.shop_empty"
    assert config["iceberg.table.event.shop_view.route-regex"] == "shop\\.view"
    site.remove()


tests_of(globals())

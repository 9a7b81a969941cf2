"""What the tests of tables share: a gate, schemas, events in files, and how rows are held to events.

usage of each test: SCRIPT EVENTGATE ENGINES SHARED [TEST...]
"""

import datetime
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

GATE, ENGINES, SHARED = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
ROOT = pathlib.Path(__file__).resolve().parents[3]
SKIPPED = 77


def skip(reason):
    print("SKIPPED: " + reason)
    sys.exit(SKIPPED)


def run(*arguments, status=0, stdin=None):
    """Runs the gate's program. Returns what it prints."""
    done = subprocess.run([GATE, *arguments], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{arguments}: status {done.returncode}: {done.stdout}{done.stderr}"
    return done


def recorded_rows():
    """The recordings that have rows, or none where there are no recordings."""
    path = SHARED / "golden/tables.jsonl"
    if not path.exists():
        print("no recordings: not tested")
        return []
    return [case for case in map(json.loads, path.read_text(encoding="utf-8").splitlines()) if "schema" in case]


class Site:
    """A folder with schemas, stream configs, a config and events."""

    def __init__(self, bases=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tables-"))
        self.events = self.folder / "events"
        self.events.mkdir()
        self.bases = [str(base) for base in bases]
        self.streams = {}
        self.options = {}
        self.gate = None

    def schema(self, title, version, properties, **more):
        path = self.folder / "schemas" / title / version
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"title": title, "$id": f"/{title}/{version}", "type": "object",
                                    "$schema": "https://json-schema.org/draft-07/schema#",
                                    "properties": properties, **more}))

    def stream(self, name, title, **settings):
        self.streams[name] = {"schema_title": title, **settings}

    def config(self):
        (self.folder / "schemas").mkdir(exist_ok=True)
        (self.folder / "streams.json").write_text(json.dumps(self.streams))
        path = self.folder / "config.yaml"
        path.write_text(json.dumps({
            "schema_base_uris": [str(self.folder / "schemas"), *self.bases],
            "stream_config_uri": str(self.folder / "streams.json"),
            "topic_prefix": "eqiad.", "output_path": str(self.events) + "/", "error_stream": "", "port": 0,
            "interface": "127.0.0.1", "allow_insecure_schemas": True, "metrics": {"type": "prometheus", "port": 0}, **self.options}))
        return str(path)

    def tables(self, *arguments, status=0):
        return run("tables", "-c", self.config(), *arguments, status=status).stdout

    def command(self, name, *arguments, status=0):
        return run("tables", name, "-c", self.config(), *arguments, status=status)

    def hour_folder(self, topic, hour):
        return self.events / topic / hour.strftime("year=%Y/month=%m/day=%d/hour=%H")

    def write(self, topic, hour, events, name="part-a.ndjson", tail=""):
        """Writes events as the file sink does. `tail` is a line without its end."""
        folder = self.hour_folder(topic, hour)
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / name, "a", encoding="utf-8") as out:
            for event in events:
                out.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")
            out.write(tail)

    def start(self):
        self.log = open(self.folder / "log", "w+", encoding="utf-8")
        self.gate = subprocess.Popen([GATE, "serve", "-c", self.config()], stdout=self.log, stderr=subprocess.STDOUT, cwd=ROOT)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.gate.poll() is None:
            for line in (self.folder / "log").read_text(encoding="utf-8").splitlines():
                if '"msg":"listening"' in line:
                    self.port = json.loads(line)["port"]
                    return
            time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text(encoding="utf-8"))

    def post(self, events):
        """Returns the status and the reply."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/events", json.dumps(events).encode(),
                                         {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stop(self):
        """Returns once everything is in the files."""
        self.gate.send_signal(signal.SIGTERM)
        assert self.gate.wait(60) == 0

    def written(self, topic):
        """The events of a topic, in the order of its files."""
        events = []
        for path in sorted((self.events / topic).rglob("part-*.ndjson")):
            events += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return events

    def remove(self):
        if self.gate and self.gate.poll() is None:
            self.gate.kill()
            self.gate.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def newest_schemas(base):
    """The file of the newest version of each schema below a folder, by its title, without fragments."""
    found = {}
    for path in sorted(pathlib.Path(base).rglob("[0-9]*.yaml"), key=lambda path: [int(part) for part in path.stem.split(".")]):
        title = re.search(r"^title: *(.*)$", path.read_text(encoding="utf-8"), re.M)
        if title and not title.group(1).startswith("fragment/"):
            found[title.group(1)] = path
    return found


def wikimedia_site(prefix=""):
    """A site with a stream for each schema of Wikimedia's primary repository, and the schemas by stream; or None."""
    base = SHARED / "data/schema-repos/primary/jsonschema"
    if not base.exists():
        return None, {}
    site, schemas = Site([base]), {}
    site.options = {"schema_file_extension": ".yaml", "max_body_size": "4mb"}
    for title, path in newest_schemas(base).items():
        stream = prefix + title.replace("/", ".")
        site.stream(stream, title)
        uri = "/" + str(path.relative_to(base))
        # Of one schema `$id` is not where it is.
        schemas[stream] = {**json.loads(run("schema", "show", uri, str(base)).stdout), "$id": uri.removesuffix(".yaml")}
    return site, schemas


def hours_ago(count):
    return datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0) - datetime.timedelta(hours=count)


def without_nulls(value):
    """Drops members that are null: a column cannot tell them from absent ones."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value


def known_part(schema, value):
    """The part of an event that its schema knows, as columns have it. Objects of neither kind stay whole."""
    if not isinstance(schema, dict):
        return value
    if isinstance(value, dict):
        values = schema.get("additionalProperties")
        if isinstance(values, dict) and "type" in values:
            return {key: known_part(values, inner) for key, inner in value.items()}
        if schema.get("properties"):
            properties = schema["properties"]
            return {key: known_part(properties[key], inner) for key, inner in value.items() if key in properties}
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [known_part(schema["items"], inner) for inner in value]
    return value


def same(found, expected):
    """Equal values: a number is itself as a double; an empty struct may be a struct of nulls; JSON texts count as parsed."""
    if isinstance(found, str) and not isinstance(expected, str):
        try:
            found = json.loads(found)
        except ValueError:
            return False
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = set(found) | set(expected)
        return all(same(found[key], expected[key]) if key in found and key in expected
                   else found.get(key, expected.get(key)) == {} for key in keys)
    if isinstance(expected, list) and isinstance(found, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    return found == expected and isinstance(found, bool) == isinstance(expected, bool)


def table_name(text):
    name = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in text)
    return ("_" + name[1:] if name[:1].isdigit() else name).lower()


def tests_of(namespace):
    """Runs the functions named test_*, prints each, and exits 1 if one fails."""
    failed = 0
    for name, function in list(namespace.items()):
        if not name.startswith("test_") or (sys.argv[4:] and name not in sys.argv[4:]):
            continue
        began = time.monotonic()
        try:
            function()
            print(f"[       OK ] {name} ({time.monotonic() - began:.1f} s)")
        except Exception:  # noqa: BLE001: the rest runs, too
            import traceback
            traceback.print_exc(file=sys.stdout)
            print(f"[  FAILED  ] {name}")
            failed += 1
        sys.stdout.flush()
    sys.exit(1 if failed else 0)

#!/usr/bin/env python3
"""Holds the documents to the code.

Every block of `sh` in README.md, CONTRIBUTING.md, docs/ and clients/ is run, in order, document by document, in a folder where the
repository's files are, with the gate of config/config.yaml running there. Comments before a block say more of it:

    <!-- prints: TEXT -->    its output has TEXT, once more for each such line; a block of `text` right behind is all of it
    <!-- exits: 1 -->        its exit status, else 0
    <!-- needs: REASON -->   it is not run, because something is absent; counted and printed
    <!-- if: COMMAND -->     it is run if COMMAND succeeds, such as one that looks for a program; else counted and printed

Besides: tests that a document names are in tests/ (`Suite.Test`, `Suite.Start...`, `Suite...`, the files there; the man pages, the comments
of config/ and ops/ and the OpenAPI document are looked at too), links lead somewhere, the documents of promises and bounds name tests,
and commands are in blocks of `sh` (or `text`, for a synopsis with placeholders), never in indented ones.

usage: documents_test.py EVENTGATE
"""

import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
GATE = pathlib.Path(sys.argv[1]).resolve()
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "clients").rglob("*.md")),
]
# Of these only the names of tests are looked at.
OTHERS = [
    *sorted((ROOT / "packaging" / "man").glob("*.in")),
    *sorted((ROOT / "config").glob("*.yaml")),
    *sorted((ROOT / "ops" / "prometheus").glob("*.yaml")),
    ROOT / "src" / "api" / "openapi.json",
]
# What these promise, or bound, names at least so many tests.
NAMING = {
    "limits.md": 60,
    "reliability.md": 60,
    "security.md": 30,
    "http.md": 20,
    "deploying.md": 20,
    "live.md": 12,
    "streams.md": 12,
    "alerts.md": 8,
    "ledger.md": 8,
    "tools.md": 5,
    "client.md": 15,
}
BLOCK = re.compile(r"(?P<marks>(?:<!--(?:(?!-->).)*-->\n)*)^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
OUTPUT = re.compile(r"\n\n```text\n(?P<text>.*?)^```$", re.M | re.S)
MARK = re.compile(r"<!-- (prints|exits|needs|if): (.*?) -->", re.S)

problems = []
counts = {"run": 0, "left out": 0}


class Gate:
    """The gate of config/config.yaml with the live page, as of ./dev run, in `folder`, on ports of its own."""

    def __init__(self, folder):
        (folder / "here.yaml").write_text(
            "port: 0\ninterface: 127.0.0.1\nmetrics: {type: prometheus, port: 0}\nlive: true\n"
        )
        self.log = folder / "gate.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [GATE, "serve", "-c", "config/config.yaml", "-c", "here.yaml"], cwd=folder, stdout=log, stderr=log
            )
        while True:
            found = re.search(r'"msg":"listening".*?"port":(\d+),"metrics_port":(\d+)', self.log.read_text())
            if found:
                self.port, self.metrics_port = found.groups()
                return
            if self.process.poll() is not None:
                sys.exit("the gate did not start: " + self.log.read_text())
            time.sleep(0.02)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait() != 0:
            problems.append(f"the gate ended with {self.process.returncode}: {self.log.read_text()}")


def succeeds(command):
    return subprocess.run(["bash", "-c", command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def run_blocks(document, text, folder):
    gate = None
    for block in BLOCK.finditer(text):
        where = f"{document.relative_to(ROOT)}:{text.count(chr(10), 0, block.start('text'))}"
        if not block["kind"]:
            problems.append(f"{where}: expected a block to say what it is: sh, text, yaml, ...")
        if block["kind"] != "sh":
            continue
        marks = MARK.findall(block["marks"])
        needs = [value for name, value in marks if name == "needs" or (name == "if" and not succeeds(value))]
        if needs:
            counts["left out"] += 1
            print(f"left out: {where}: needs {needs[0]}")
            continue
        commands = block["text"]
        if gate is None and re.search(r":(8192|9102)\b", commands):
            gate = Gate(folder)
        if gate is not None:
            commands = commands.replace(":8192", f":{gate.port}").replace(":9102", f":{gate.metrics_port}")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=folder,
            env={"PATH": f"{GATE.parent}:/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            text=True,
        )
        counts["run"] += 1
        expected = int(next((value for name, value in marks if name == "exits"), 0))
        if done.returncode != expected:
            problems.append(f"{where}: expected exit status {expected}, got {done.returncode}: {done.stdout}")
        output = OUTPUT.match(text, block.end())
        if output and output["text"] != done.stdout:
            problems.append(f"{where}: expected what is behind it, it printed: {done.stdout}")
        for name, value in marks:
            if name == "prints" and value not in done.stdout:
                problems.append(f"{where}: expected it to print: {value}\nit printed: {done.stdout}")
    if gate is not None:
        gate.stop()


def look_at_text(document, text, tests):
    name = document.relative_to(ROOT)
    for line in re.findall(r"(?m)^    (?:\$ |sudo |\./dev |eventgate |curl |docker |kubectl |systemctl ).*", BLOCK.sub("", text)):
        problems.append(f"{name}: expected this command in a block of sh: {line.strip()}")
    for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
        if "://" not in link and not (document.parent / link).exists():
            problems.append(f"{name}: leads nowhere: {link}")
    named = look_at_tests(name, text, tests)
    if named < NAMING.get(document.name, 0):
        problems.append(f"{name}: expected it to name {NAMING[document.name]} tests, it names {named}")


def look_at_tests(name, text, tests):
    """How many different tests `text` names."""
    named = set()
    for suite, test, more in re.findall(r"\b([A-Z]\w+)\.([A-Z]\w+)(\.\.\.)?(?=[`),;.\s]|$)", BLOCK.sub("", text)):
        if suite not in tests:
            if f"`{suite}.{test}" in text:
                problems.append(f"{name}: there are no tests {suite}")
            continue
        named.add((suite, test))
        if not (any(t.startswith(test) for t in tests[suite]) if more else test in tests[suite]):
            problems.append(f"{name}: there is no test {suite}.{test}")
    for suite in re.findall(r"`([A-Z]\w+)\.\.\.`", text):
        named.add((suite, ""))
        if not any(known.startswith(suite) for known in tests):
            problems.append(f"{name}: there are no tests {suite}")
    for path in re.findall(r"`(tests/[\w./-]+)`", text):
        named.add((path, ""))
        if not (ROOT / path).exists():
            problems.append(f"{name}: there is no {path}")
    return len(named)


def tests_in_the_tree():
    tests = {}
    for file in (ROOT / "tests").rglob("*_test.cpp"):
        for suite, test in re.findall(r"TEST(?:_[FP])?\((\w+),\s*(\w+)\)", file.read_text()):
            tests.setdefault(suite, set()).add(test)
    return tests


def main():
    tests = tests_in_the_tree()
    for document in DOCUMENTS:
        text = document.read_text()
        look_at_text(document, text, tests)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for entry in ROOT.iterdir():
                if entry.name not in ("build", "events", ".git"):
                    (folder / entry.name).symlink_to(entry)
            (folder / "build").mkdir()
            (folder / "build" / "eventgate").symlink_to(GATE)
            run_blocks(document, text, folder)
    for document in OTHERS:
        look_at_tests(document.relative_to(ROOT), document.read_text(), tests)
    print(f"blocks run: {counts['run']}; left out: {counts['left out']}")
    for problem in problems:
        print("FAILED: " + problem)
    return 1 if problems else 0


sys.exit(main())

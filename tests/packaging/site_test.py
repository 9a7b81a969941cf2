#!/usr/bin/env python3
"""The site of the documents: mkdocs makes it without a warning, every link in it leads to a page and an anchor of it, nothing
comes from another host, and the search knows the words of the pages.

usage: site_test.py DIRECTORY
"""

import html.parser
import json
import pathlib
import shutil
import subprocess
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
if not shutil.which("mkdocs"):
    print("SKIPPED: there is no mkdocs (Debian: mkdocs); ./dev test installs it")
    sys.exit(77)
done = subprocess.run(
    [ROOT / "packaging/site/make_site", sys.argv[1]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
)
assert done.returncode == 0, done.stdout
site = pathlib.Path(sys.argv[1]).resolve() / "site"


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loaded = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.anchors.update(values[name] for name in ("id", "name") if values.get(name))
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        for name in {"script": ["src"], "img": ["src"], "link": ["href"], "iframe": ["src"]}.get(tag, []):
            if values.get(name):
                self.loaded.append(values[name])


pages = {file.resolve(): Page(file.read_text()) for file in site.rglob("*.html")}
assert len(pages) > 30, len(pages)
problems = []
for file, page in pages.items():
    name = file.relative_to(site)
    for link in page.links + page.loaded:
        parts = urllib.parse.urlsplit(link)
        if parts.scheme or parts.netloc:
            if link in page.loaded:
                problems.append(f"{name} loads {link} of another host")
            continue
        if name.name == "404.html":
            continue  # its links begin at the root, wherever it is served
        target = file if not parts.path else (file.parent / urllib.parse.unquote(parts.path)).resolve()
        if not target.exists():
            problems.append(f"{name}: {link} leads nowhere")
        elif parts.fragment and target in pages and parts.fragment not in pages[target].anchors:
            problems.append(f"{name}: {link} has no such place")
assert not problems, "\n".join(problems)

index = json.loads((site / "search/search_index.json").read_text())["docs"]
for word, page in (("spool", "reliability.html"), ("schema_base_uris", "config.html"), ("message_key", "glossary.html")):
    assert any(entry["location"].startswith(page) and word in entry["text"] for entry in index), (word, page)
print(f"{len(pages)} pages, {sum(len(page.links) for page in pages.values())} links, {len(index)} places in the search")

#!/usr/bin/env python3
"""Writes the licences of what the tarball has, and eventgate.spdx.json: an SPDX 2.3 list of each file in it, with the Debian
package and version that it is of.

usage: licences.py ROOT TAKEN VERSION ARCHITECTURE
  ROOT   the unpacked tarball
  TAKEN  a file of lines `PATH IN THE TARBALL <tab> PATH HERE`, of the files that are Debian's
"""

import datetime
import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

root, taken, version, architecture = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
SOURCES = pathlib.Path(__file__).resolve().parents[2]
VALIJSON = SOURCES / "build/valijson/usr/share/doc/libvalijson-dev"
# Compiled into lib/eventgate or bin/eventgate from headers and static libraries.
COMPILED_IN = ["libboost*-dev", "nlohmann-json3-dev", "libcli11-dev", "libspdlog-dev", "libc6-dev", "libstdc++-*-dev"]


def lines(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.splitlines()


def packages_of(paths):
    """The Debian package of each path. dpkg knows a library under /lib or under /usr/lib, which are one folder."""
    names = {}
    for path in paths:
        real = os.path.realpath(path)
        for name in (path, real, real.removeprefix("/usr"), "/usr" + path):
            names[name] = path
    found = {}
    for line in lines("dpkg", "-S", *names):
        package, _, name = line.partition(": ")
        if name in names:
            found[names[name]] = package.split(":")[0]
    for path in paths:
        if path not in found:
            sys.exit(f"licences.py: no Debian package has {path}")
    return found


def described(*patterns):
    """Of each installed package: version, source package and its version, the folder with the package's copyright."""
    form = "${db:Status-Status}\t${Package}\t${Version}\t${source:Package}\t${source:Version}\n"
    known = (line.split("\t") for line in lines("dpkg-query", "-W", "-f", form, *patterns))
    return {name: (*about, pathlib.Path("/usr/share/doc") / name) for status, name, *about in known if status == "installed"}


def checksums(path):
    data = path.read_bytes()
    return [{"algorithm": name.upper(), "checksumValue": hashlib.new(name, data).hexdigest()} for name in ("sha1", "sha256")]


owners = dict(line.rstrip("\n").split("\t") for line in open(taken))
package_names = packages_of(owners.values())
owners = {name: package_names[path] for name, path in owners.items()}
packages = described(*sorted(set(owners.values())))
compiled_in = {
    name: about
    for name, about in described(*COMPILED_IN).items()
    if re.fullmatch(r"libboost[0-9.]+-dev|(?!libboost).*", name)
}
if VALIJSON.is_dir():
    newest = gzip.open(VALIJSON / "changelog.Debian.gz", "rt").readline()
    found = re.match(r"(\S+) \(([^)]+)\)", newest)
    compiled_in["libvalijson-dev"] = (found[2], found[1], found[2], VALIJSON)

common = set()
for package, (_, _, _, folder) in {**packages, **compiled_in}.items():
    text = folder / "copyright"
    if not text.exists():
        sys.exit(f"licences.py: {package} has no copyright in {folder}")
    shutil.copyfile(text, root / "licences" / package)
    common.update(re.findall(r"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9])", text.read_text(errors="replace")))
for licence in common:
    path = pathlib.Path("/usr/share/common-licenses") / licence
    if path.exists():
        (root / "licences" / "common").mkdir(exist_ok=True)
        shutil.copyfile(path, root / "licences" / "common" / licence)

seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or (lines("git", "-C", str(SOURCES), "log", "-1", "--format=%ct") or ["0"])[0])
created = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def identifier(kind, name):
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def debian_package(name, described_as):
    number, source, source_version, _ = described_as
    return {
        "SPDXID": identifier("Package", name),
        "name": name,
        "versionInfo": number,
        "supplier": "Organization: Debian",
        "downloadLocation": f"https://snapshot.debian.org/package/{source}/{source_version}/",
        "sourceInfo": f"built from Debian's source package {source} {source_version}",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "licenseComments": f"licences/{name}",
        "copyrightText": "NOASSERTION",
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": f"pkg:deb/debian/{name}@{number}?arch={architecture}",
            }
        ],
    }


files, relations = [], [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-eventgate"}]
for path in sorted(root.rglob("*")):
    if path.is_symlink() or not path.is_file():
        continue
    name = str(path.relative_to(root))
    number = f"SPDXRef-File-{len(files) + 1}"
    mine = name not in owners and not name.startswith("licences/")
    files.append(
        {
            "SPDXID": number,
            "fileName": "./" + name,
            "checksums": checksums(path),
            "licenseConcluded": "Apache-2.0" if mine else "NOASSERTION",
            "copyrightText": "NOASSERTION",
        }
    )
    relations.append({"spdxElementId": "SPDXRef-eventgate", "relationshipType": "CONTAINS", "relatedSpdxElement": number})
    if name in owners:
        package = identifier("Package", owners[name])
        relations.append({"spdxElementId": number, "relationshipType": "EXPANDED_FROM_ARCHIVE", "relatedSpdxElement": package})
for package in packages:
    relations.append(
        {"spdxElementId": "SPDXRef-eventgate", "relationshipType": "CONTAINS", "relatedSpdxElement": identifier("Package", package)}
    )
for package in compiled_in:
    relations.append(
        {"spdxElementId": "SPDXRef-eventgate", "relationshipType": "STATIC_LINK", "relatedSpdxElement": identifier("Package", package)}
    )
everything = "".join(sorted(f["checksums"][0]["checksumValue"] for f in files)).encode()
document = {
    "spdxVersion": "SPDX-2.3",
    "dataLicense": "CC0-1.0",
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": f"eventgate-{version}-linux-{architecture}",
    "documentNamespace": f"https://spdx.org/spdxdocs/eventgate-{version}-{hashlib.sha256(everything).hexdigest()[:32]}",
    "creationInfo": {"created": created, "creators": ["Tool: eventgate-make_tarball"]},
    "packages": [
        {
            "SPDXID": "SPDXRef-eventgate",
            "name": "eventgate",
            "versionInfo": version,
            "downloadLocation": "NOASSERTION",
            "filesAnalyzed": True,
            "packageVerificationCode": {"packageVerificationCodeValue": hashlib.sha1(everything).hexdigest()},
            "licenseConcluded": "Apache-2.0",
            "licenseDeclared": "Apache-2.0",
            "licenseInfoFromFiles": ["Apache-2.0"],
            "copyrightText": "2026 the EventGate contributors",
        },
        *(debian_package(name, about) for name, about in {**compiled_in, **packages}.items()),
    ],
    "files": files,
    "relationships": relations,
}
(root / "eventgate.spdx.json").write_text(json.dumps(document, indent=1) + "\n")

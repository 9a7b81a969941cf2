#!/usr/bin/env python3
"""The Helm chart, rendered by helm: it has no lint, its objects fit each other and the config, and `eventgate check` takes the
config that it makes. Besides, what docs/migrating.md changes of the original's chart changes no more than it says.

usage: helm_test.py EVENTGATE HELM
"""

import copy
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
GATE = pathlib.Path(sys.argv[1]).resolve()
CHART = ROOT / "packaging/helm"
HELM = shutil.which("helm") or sys.argv[2]

try:
    import yaml
except ImportError:
    print("SKIPPED: Python has no yaml (Debian: python3-yaml)")
    sys.exit(77)
if not pathlib.Path(HELM).exists():
    print("*" * 100)
    print("  NO HELM: neither on the path nor at", HELM, "- the chart is NOT TESTED. `./dev helm` brings it and runs this.")
    print("*" * 100)
    sys.exit(77)

work = pathlib.Path(tempfile.mkdtemp())


def run(*command, **more):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def render(values, chart=CHART):
    """The objects that the chart makes of `values`, by kind and name."""
    file = work / "values.yaml"
    file.write_text(json.dumps(values))
    lint = run(HELM, "lint", "--strict", "--kube-version", "1.29.0", chart, "-f", file)
    assert lint.returncode == 0, lint.stdout
    done = run(HELM, "template", "--kube-version", "1.29.0", "gate", chart, "-f", file, "--namespace", "events")
    assert done.returncode == 0, done.stdout
    objects = [each for each in yaml.safe_load_all(done.stdout) if each]
    named = {(each["kind"], each["metadata"]["name"]): each for each in objects}
    assert len(named) == len(objects), "two objects of one name"
    return named


def refusal(values):
    file = work / "values.yaml"
    file.write_text(json.dumps(values))
    done = run(HELM, "template", "--kube-version", "1.29.0", "gate", CHART, "-f", file)
    assert done.returncode != 0, f"accepted: {values}"
    return done.stdout


def pod_of(objects, kind="Deployment"):
    return objects[kind, "gate-eventgate"]["spec"]["template"]


def grace_of(values):
    return pod_of(render(values))["spec"]["terminationGracePeriodSeconds"]


def check(objects, expected=0):
    """Runs `eventgate check` as the pod would: the image's config, then what the ConfigMaps have, in their places."""
    pod = pod_of(objects, "StatefulSet" if ("StatefulSet", "gate-eventgate") in objects else "Deployment")["spec"]
    container = pod["containers"][0]
    folders = {}
    for mount in container["volumeMounts"]:
        volume = next((v for v in pod["volumes"] if v["name"] == mount["name"]), {})
        folder = work / "pod" / mount["mountPath"].lstrip("/")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        folders[mount["mountPath"]] = folder
        if "configMap" in volume:
            data = objects["ConfigMap", volume["configMap"]["name"]]["data"]
            items = volume["configMap"].get("items") or [{"key": key, "path": key} for key in data]
            assert {item["key"] for item in items} == set(data)
            for item in items:
                (folder / item["path"]).parent.mkdir(parents=True, exist_ok=True)
                (folder / item["path"]).write_text(data[item["key"]])
    folders["/usr/share/eventgate/schemas"] = ROOT / "schemas"
    folders["/etc/eventgate/config.yaml"] = ROOT / "config/config.yaml"

    def here(text):
        for path, folder in folders.items():
            text = text.replace(path, str(folder))
        return text

    for file in (work / "pod").rglob("*.yaml"):
        file.write_text(here(file.read_text()))
    words = container["args"][1:]
    done = run(GATE, "check", *map(here, words), cwd=ROOT)
    assert done.returncode == expected, done.stdout
    return done.stdout


# --- The defaults

plain = render({"config": {"output_path": str(work / "events") + "/", "cache_dir": str(work / "cache")}})
assert set(kind for kind, _ in plain) == {"ConfigMap", "Deployment", "PodDisruptionBudget", "Service"}, plain.keys()
pod = pod_of(plain)
gate = pod["spec"]["containers"][0]
version = re.search(r"^set\(EVENTGATE_VERSION (.*)\)$", (ROOT / "CMakeLists.txt").read_text(), re.M)[1]
assert gate["image"] == "eventgate:" + version, gate["image"]
assert yaml.safe_load((CHART / "Chart.yaml").read_text())["version"] == version
dockerfile = (ROOT / "docker/Dockerfile").read_text()
user = re.search(r"^USER (\d+):", dockerfile, re.M)[1]
assert str(pod["spec"]["securityContext"]["runAsUser"]) == user
assert gate["securityContext"]["readOnlyRootFilesystem"] is True
assert "/var/lib/eventgate" in [mount["mountPath"] for mount in gate["volumeMounts"]]
assert [p["containerPort"] for p in gate["ports"]] == [8192, 9102]
labels = pod["metadata"]["labels"].items()
for kind, path in (("Service", ["selector"]), ("PodDisruptionBudget", ["selector", "matchLabels"]), ("Deployment", ["selector", "matchLabels"])):
    selector = plain[kind, "gate-eventgate"]["spec"]
    for name in path:
        selector = selector[name]
    assert selector.items() <= labels, (kind, selector)
assert "no problems" in check(plain)

# The grace follows from shutdown_timeout and preStop.
assert grace_of({}) == 30 + 5 + 5
assert grace_of({"config": {"shutdown_timeout": "2m"}}) == 120 + 5 + 5
assert grace_of({"config": {"shutdown_timeout": "1500ms"}, "preStopSeconds": 11}) == 2 + 11 + 5
assert pod_of(render({"preStopSeconds": 11}))["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "11"]

# --- Everything

everything = {
    "replicas": 2,
    "config": {
        "port": 8080,
        "metrics": [{"type": "prometheus", "port": 9200}],
        "spool": {"max_size": "2gb"},
        "kafka": {"conf": {"metadata.broker.list": "127.0.0.1:1"}},
        "cache_dir": str(work / "cache"),
    },
    "streams": {"a.stream": {"schema_title": "a/b"}},
    "schemas": {"a/b/1.0.0": "title: a/b\n$id: /a/b/1.0.0\n$schema: https://json-schema.org/draft-07/schema#\ntype: object\n"},
    "secretConfig": "passwords",
    "spool": {"enabled": True, "size": "3Gi", "storageClassName": "fast"},
    "autoscaling": {"enabled": True},
    "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "networkPolicy": {
        "enabled": True,
        "clients": [{"podSelector": {"matchLabels": {"app": "wiki"}}}],
        "egress": [{"ports": [{"port": 9092}]}],
    },
    "env": [{"name": "A", "value": "b"}],
    "extraVolumes": [{"name": "more", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
}
full = render(everything)
stateful = full["StatefulSet", "gate-eventgate"]["spec"]
assert "replicas" not in stateful
assert stateful["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"] == "3Gi"
assert stateful["volumeClaimTemplates"][0]["metadata"]["name"] == "state"
assert ("Service", stateful["serviceName"]) in full
assert ("Deployment", "gate-eventgate") not in full
assert full["HorizontalPodAutoscaler", "gate-eventgate"]["spec"]["scaleTargetRef"]["kind"] == "StatefulSet"
gate = stateful["template"]["spec"]["containers"][0]
ports = {port["name"]: port["containerPort"] for port in gate["ports"]}
assert ports == {"http": 8080, "metrics": 9200}, ports
assert full["PodMonitor", "gate-eventgate"]["spec"]["podMetricsEndpoints"][0]["port"] in ports
policy = full["NetworkPolicy", "gate-eventgate"]["spec"]
assert [rule["ports"][0]["port"] for rule in policy["ingress"]] == ["http", "metrics"]
assert policy["ingress"][0]["from"] == everything["networkPolicy"]["clients"]
assert {"ports": [{"port": 9092}]} in policy["egress"] and {} not in policy["egress"]
mounted = {mount["name"] for mount in gate["volumeMounts"]}
volumes = {volume["name"] for volume in stateful["template"]["spec"]["volumes"]} | {"state"}
assert mounted == volumes, mounted ^ volumes
config = yaml.safe_load(full["ConfigMap", "gate-eventgate"]["data"]["config.yaml"])
assert config["spool"] == {"path": "/var/lib/eventgate/spool", "max_size": "2gb"}
assert config["schema_base_uris"] == ["/etc/eventgate-schemas", "/usr/share/eventgate/schemas"]
assert gate["args"][-1] == "/etc/eventgate-secret/config.yaml"

# check reads all of it but the Secret, and looks for the broker only.
without_secret = copy.deepcopy(everything)
del without_secret["secretConfig"]
said = check(render(without_secret), expected=1)
assert "127.0.0.1:1" in said and "a/b" not in said and "schema_base_uris" not in said, said
remote = render({"schemaBaseUris": ["https://schemas.example.org/"]})
assert yaml.safe_load(remote["ConfigMap", "gate-eventgate"]["data"]["config.yaml"])["schema_base_uris"] == ["https://schemas.example.org/"]

# A changed stream makes new pods.
changed = copy.deepcopy(everything)
changed["streams"]["another"] = {"schema_title": "a/b"}
sums = [pod_of(objects, "StatefulSet")["metadata"]["annotations"]["checksum/config"] for objects in (full, render(changed))]
assert sums[0] != sums[1]

off = render({"config": {"metrics": []}})
assert [port["name"] for port in pod_of(off)["spec"]["containers"][0]["ports"]] == ["http"]
assert "podMonitor needs metrics" in refusal({"config": {"metrics": []}, "podMonitor": {"enabled": True}})
assert "replicas" in refusal({"replicas": "three"})
assert "replicaCount" in refusal({"replicaCount": 3})
assert "shutdown_timeout" in refusal({"config": {"shutdown_timeout": "soon"}})

# --- The original's chart, before and after the change that docs/migrating.md shows

original = work / "original"
shutil.copytree(ROOT / "tests/packaging/original_chart", original)
before = render({}, original)
patch = "\n".join(re.findall(r"^```diff\n(.*?)^```$", (ROOT / "docs/migrating.md").read_text(), re.M | re.S))
assert patch, "docs/migrating.md has no block of diff"
applied = run("patch", "-p1", "-d", original, input=patch)
assert applied.returncode == 0, applied.stdout
after = render({}, original)


def leaves(value, path=""):
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, f"{path}/{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}/{index}")
    else:
        yield path, value


def flat(objects):
    found = {}
    for (kind, _), each in objects.items():
        each = copy.deepcopy(each)
        if kind == "ConfigMap":
            each["data"]["config.yaml"] = yaml.safe_load(each["data"]["config.yaml"])
        found.update(leaves(each, kind))
    return found


old, new = flat(before), flat(after)
differing = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
container = "Deployment/spec/template/spec/containers/0/"
pod_spec = "Deployment/spec/template/spec/"
conf = "ConfigMap/data/config.yaml/services/0/conf/"
allowed = [
    container + "image", container + "command/0", container + "args/0", container + "args/1", container + "args/2",
    pod_spec + "terminationGracePeriodSeconds", conf + "shutdown_timeout", conf + "schema_base_uris/0",
    container + "volumeMounts/1/name", container + "volumeMounts/1/mountPath", pod_spec + "volumes/1/name",

]  # fmt: skip
assert differing <= set(allowed), differing - set(allowed)
assert container + "command/0" not in new, "the image has its own command"
assert [new[container + "args/0"], new[container + "args/1"]] == ["-c", "/etc/eventgate/config.yaml"]
stop = int(new[conf + "shutdown_timeout"].removesuffix("s"))
prestop = int(new[container + "lifecycle/preStop/exec/command/2"].split()[-1])
assert stop + prestop < new[pod_spec + "terminationGracePeriodSeconds"], "shutdown_timeout is not below the grace less preStop"

# What it makes is a config that the gate reads. Only the broker of the example is not there.
data = after["ConfigMap", "gate-config"]["data"]
settings = yaml.safe_load(data["config.yaml"])
(work / "stream-config.yaml").write_text(data["stream-config.yaml"])
service = settings["services"][0]["conf"]
service["stream_config_uri"] = str(work / "stream-config.yaml")
service["schema_base_uris"] = [str(ROOT / "schemas")]
del service["kafka"]
service["output_path"] = str(work / "events") + "/"
(work / "config.yaml").write_text(yaml.safe_dump(settings))
done = run(GATE, "check", "-c", work / "config.yaml", cwd=work)
assert done.returncode == 0, done.stdout

shutil.rmtree(work)
print(f"{len(plain)} and {len(full)} objects; {len(differing)} values differ from the original's chart")

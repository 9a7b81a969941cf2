#!/usr/bin/env bash
# The tarball where nothing else is: in a root that is empty but for /dev/null the gate serves, answers an event with 201, reads schemas by https with
# the certificates of each distribution's place, and takes no file of the system's C library. Each file is in the list of
# files, with its checksum.
# usage: tarball_test.sh BUILD VERSION [SUITE]...
#   Each SUITE is a Debian (bullseye, trixie) that debootstrap makes, with the name services myhostname and resolve; there the
#   gate also produces to a Kafka broker by TLS.
set -euo pipefail
build=$(realpath "$1") version=$2
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mirror=${EVENTGATE_DEBIAN_MIRROR:-http://deb.debian.org/debian}
# The certificates of this shell are not those of the test.
unset SSL_CERT_FILE SSL_CERT_DIR OPENSSL_CONF OPENSSL_MODULES SASL_PATH

skip() { echo "SKIPPED: $*"; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }
command -v openssl >/dev/null || skip "there is no openssl"
[[ $(dpkg --print-architecture 2>/dev/null) == amd64 ]] || skip "the tarball is made on Debian for amd64 only"
((EUID == 0)) || skip "chroot needs root"

work=$build/tarball-test
mkdir -p "$work"
tarball=$(packaging/tarball/make_tarball "$build" "$version" "$work/made") || fail "the tarball could not be made"
[[ $(basename "$tarball") == "eventgate-$version-linux-amd64.tar.gz" ]] || fail "its name is $tarball"

root=$(mktemp -d "$work/root.XXXXXX")
server=$root.server
mkdir "$server"
gate= host= broker=
cleanup() {
  for process in $gate $host; do kill -KILL "$process" 2>/dev/null || true; wait "$process" 2>/dev/null || true; done
  [[ -z $broker ]] || tests/support/kafka/kafka stop "$broker" || true
  rm -rf --one-file-system "$root" "$server"
}
trap cleanup EXIT

unpack() {
  mkdir -p "$root/opt/eventgate" "$root/tmp" "$root/dev"
  [[ -e $root/dev/null ]] || mknod -m 0666 "$root/dev/null" c 1 3 2>/dev/null || skip "there is no mknod here"
  tar -C "$root/opt/eventgate" --strip-components=1 -xzf "$tarball"
}
inside() { chroot "$root" /opt/eventgate/bin/eventgate "$@"; }

# --- What is in it

unpack
python3 - "$root/opt/eventgate" <<'P' || fail "eventgate.spdx.json is not what is in the tarball"
import hashlib, json, pathlib, sys
root = pathlib.Path(sys.argv[1])
document = json.loads((root / "eventgate.spdx.json").read_text())
listed = {f["fileName"]: {c["algorithm"]: c["checksumValue"] for c in f["checksums"]} for f in document["files"]}
there = {"./" + str(p.relative_to(root)) for p in root.rglob("*") if p.is_file() and not p.is_symlink()} - {"./eventgate.spdx.json"}
assert set(listed) == there, set(listed) ^ there
for name, sums in listed.items():
    assert sums["SHA256"] == hashlib.sha256((root / name).read_bytes()).hexdigest(), name
names = {p["name"] for p in document["packages"]}
assert {"eventgate", "libc6", "librdkafka1", "libssl3"} <= names, names
contained = {r["relatedSpdxElement"] for r in document["relationships"] if r["relationshipType"] == "CONTAINS"}
assert {f["SPDXID"] for f in document["files"]} <= contained
archives = {r["spdxElementId"]: r["relatedSpdxElement"] for r in document["relationships"] if r["relationshipType"] == "EXPANDED_FROM_ARCHIVE"}
numbers = {f["fileName"]: f["SPDXID"] for f in document["files"]}
assert archives[numbers["./lib/libc.so.6"]] == "SPDXRef-Package-libc6"
# Each library is of a package of Debian, but for the two that are this project's.
own = {"./lib/eventgate", "./lib/own_names.so"}
assert {n for n in listed if n.startswith("./lib/") and numbers[n] not in archives} == own
for p in document["packages"]:
    assert p["name"] == "eventgate" or (root / p["licenseComments"]).stat().st_size > 0, p["name"]
print(f"eventgate.spdx.json: {len(listed)} files of {len(names)} packages")
P
for file in bin/eventgate lib/ld-linux-x86-64.so.2 lib/libc.so.6 etc/config.yaml etc/stream-config.yaml LICENSE licences/libc6 \
    share/completion/eventgate.bash share/completion/eventgate.zsh share/completion/eventgate.fish \
    share/man/man8/eventgate.8.gz share/schemas/test/event/1.0.0 share/systemd/eventgate.service; do
  [[ -s $root/opt/eventgate/$file ]] || fail "the tarball has no $file"
done
grep -qx 'ExecStart=/opt/eventgate/bin/eventgate serve -c /opt/eventgate/etc/config.yaml' "$root/opt/eventgate/share/systemd/eventgate.service" ||
  fail "the unit starts something else"
! readelf -l "$root/opt/eventgate/bin/eventgate" | grep -q INTERP || fail "bin/eventgate needs a loader"
[[ $(inside --version) == "eventgate $version" ]] || fail "--version prints $(inside --version)"

# --- A host of schemas, by https

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=schemas.test" \
  -addext "subjectAltName=DNS:schemas.test" -keyout "$server/key.pem" -out "$server/cert.pem" 2>/dev/null
python3 - "$server" "$PWD/schemas" > "$server/port" 2>"$server/log" <<'P' &
import functools, http.server, ssl, sys
folder, schemas = sys.argv[1:]
class Schemas(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Schemas, directory=schemas))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
P
host=$!
until [[ -s $server/port ]]; do kill -0 "$host" || fail "no host of schemas: $(cat "$server/log")"; sleep 0.05; done

# The name of the first host is unknown everywhere, so every service of nsswitch.conf would be asked for it.
here() {  # $1: more lines of the config
  mkdir -p "$root/etc"
  grep -qs schemas.test "$root/etc/hosts" || echo '127.0.0.1 localhost schemas.test' >> "$root/etc/hosts"
  cat > "$root/here.yaml" <<C
port: 0
interface: 127.0.0.1
metrics: []
fetch_connect_timeout: 5s
schema_base_uris: ['https://not-there.invalid:1/', 'https://schemas.test:$(cat "$server/port")/']
cache_dir: /tmp/cache
output_path: /tmp/events/
${1:-}
C
}
validate() {
  rm -rf "$root/tmp/cache"
  echo '{"$schema": "/test/event/1.0.0", "meta": {"stream": "test.event"}, "test": "hello"}' |
    inside validate -c /opt/eventgate/etc/config.yaml -c /here.yaml - 2>&1
}

serve() {  # Starts the gate, posts an event, and looks at what the process has mapped. $1: where, for messages
  local port= reply code=0 foreign
  : > "$work/gate.log"
  chroot "$root" /opt/eventgate/bin/eventgate serve -c /opt/eventgate/etc/config.yaml -c /here.yaml > "$work/gate.log" 2>&1 &
  gate=$!
  until [[ -n $port ]]; do
    kill -0 "$gate" 2>/dev/null || fail "$1: the gate did not start: $(cat "$work/gate.log")"
    port=$(sed -n '/"msg":"listening"/s/.*"port":\([0-9]*\).*/\1/p' "$work/gate.log" | head -n 1)
    sleep 0.05
  done
  reply=$(bash -c "$(./dev example "$port")" 2>"$work/curl") || fail "$1: curl: $(cat "$work/curl")"
  [[ $reply == 'HTTP/1.1 201 All 1 out of 1 events were accepted.'* ]] ||
    fail "$1: expected a 201, got: $reply; $(cat "$work/gate.log")"
  foreign=$(awk '$6 ~ /^\// { print $6 }' "/proc/$gate/maps" | grep -vE "^($root)?/opt/eventgate/lib/|^($root)?/tmp/" | sort -u || true)
  [[ -z $foreign ]] || fail "$1: the gate has mapped files of the system: $foreign"
  [[ $(cat "/proc/$gate/comm") == eventgate ]] || fail "$1: ps has the name $(cat "/proc/$gate/comm")"
  kill -TERM "$gate"
  wait "$gate" || code=$?
  gate=
  ((code == 0)) || fail "$1: expected the gate to exit with 0 on SIGTERM, got $code: $(cat "$work/gate.log")"
}

# --- In an empty root

here
said=$(validate) && fail "a certificate is trusted without authorities: $said"
[[ $said == *"expected a certificate for schemas.test"* ]] || fail "expected a word about the certificate, got: $said"
for place in /etc/ssl/certs/ca-certificates.crt /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem /etc/pki/tls/certs/ca-bundle.crt \
    /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
  install -D -m 0644 "$server/cert.pem" "$root$place"
  said=$(validate) || fail "with the certificates in $place: $said"
  rm "$root$place"
done
install -D -m 0644 "$server/cert.pem" "$root/etc/ssl/cert.pem"
serve "an empty root"
[[ $(find "$root/tmp/events" -name '*.ndjson' | wc -l) == 1 ]] || fail "the event is in no file"
ln -s ../opt/eventgate/bin/eventgate "$root/tmp/eventgate"
[[ $(chroot "$root" /tmp/eventgate --version) == "eventgate $version" ]] || fail "it does not run by a link"
cp -r "$root/opt/eventgate" "$root/opt/a b"
said=$(chroot "$root" "/opt/a b/bin/eventgate" --version 2>&1) && fail "it runs in a folder with a space, which the loader cannot"
[[ $said == *"without spaces and colons"* ]] || fail "in a folder with a space it says: $said"
echo "an empty root: --version, validate with the certificates of five places, serve, a 201"

# --- In other Debians

for suite; do
  command -v debootstrap >/dev/null || skip "there is no debootstrap"
  base=$work/$suite.tar
  if [[ ! -e $base ]]; then
    rm -rf "$work/$suite"
    debootstrap --variant=minbase --include=libnss-myhostname,ca-certificates "$suite" "$work/$suite" "$mirror" \
      > "$work/$suite.log" 2>&1 || skip "debootstrap could not make $suite: $(tail -n 1 "$work/$suite.log")"
    # Unpacked only: its service is not wanted, and wants systemd.
    cp /etc/resolv.conf "$work/$suite/etc/resolv.conf"
    chroot "$work/$suite" sh -c 'cd /tmp && apt-get update -q && apt-get download libnss-resolve && dpkg-deb -x libnss-resolve*.deb /' \
      >> "$work/$suite.log" 2>&1 || skip "no libnss-resolve of $suite: $(tail -n 1 "$work/$suite.log")"
    tar -C "$work/$suite" -cf "$base.part" . && mv "$base.part" "$base"
    rm -rf "$work/$suite"
  fi
  rm -rf --one-file-system "$root"
  mkdir "$root"
  tar -C "$root" -xf "$base"
  unpack
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  sed -i '/^hosts:/d' "$root/etc/nsswitch.conf"
  echo 'hosts: files myhostname resolve dns' >> "$root/etc/nsswitch.conf"
  cp "$server/cert.pem" "$root/usr/local/share/ca-certificates/schemas.crt"
  compgen -G "$root/usr/lib/x86_64-linux-gnu/libnss_myhostname.so.2" > /dev/null &&
    compgen -G "$root/usr/lib/x86_64-linux-gnu/libnss_resolve.so.2" > /dev/null || fail "$suite has no modules of names"
  rm -rf "$work/kafka"
  broker=$work/kafka
  tests/support/kafka/kafka start "$broker" --tls --watch $$ > /dev/null || skip "no Kafka broker"
  cp "$broker/ca.pem" "$root/usr/local/share/ca-certificates/kafka.crt"
  chroot "$root" update-ca-certificates > "$work/certificates.log" 2>&1 || fail "$suite: $(cat "$work/certificates.log")"
  here "kafka: {conf: {metadata.broker.list: '$(cat "$broker/bootstrap.tls")', security.protocol: ssl}}"
  said=$(validate) || fail "$suite: $said"
  serve "$suite"
  tests/support/kafka/kafka stop "$broker"
  grep -qa interwiki_link_hover "$broker"/data/*interwiki_link_hover*/*.log || fail "$suite: the event is not in Kafka"
  broker=
  echo "$suite: $(chroot "$root" cat /etc/debian_version), its C library $(chroot "$root" ldd --version 2>/dev/null | sed -n '1s/.* //p'): an https schema base, a 201 from a TLS broker"
done
ls -l "$tarball" | awk '{ printf "the tarball has %.1f MB\n", $5 / 1e6 }'

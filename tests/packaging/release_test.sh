#!/usr/bin/env bash
# A release, made with a key of the test: it is whole, checksums and signatures hold, the notes are those of the version. In a
# bare Debian 12, 0.1.0 is installed with a spool that 0.1.0 wrote, and upgraded by apt from the signed repository; the new
# gate produces the spool's records. A repository that was changed is refused.
# usage: release_test.sh BUILD VERSION
set -euo pipefail
build=$(realpath "$1") version=$2
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

skip() { echo "SKIPPED: $*"; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }
for tool in gpg gpgconf dpkg-scanpackages openssl; do command -v "$tool" >/dev/null || skip "there is no $tool (./dev test installs it)"; done
debian=${version/-/\~}

# A candidate comes before its version, and behind the version before it.
dpkg --compare-versions "1.0.0~rc1-1" lt "1.0.0-1" && dpkg --compare-versions "0.1.0-1" lt "1.0.0~rc1-1" || fail "dpkg sorts otherwise"
dpkg --compare-versions "$debian-1~deb12" lt "${debian%%\~*}-1" || fail "$debian-1 does not come before ${debian%%\~*}"
dpkg --compare-versions "$debian-1~deb12" lt "$debian-1~deb13" || fail "an upgrade of Debian would keep the older package"

work=$build/release-test
rm -rf "$work/made" "$work/debs"
mkdir -p "$work/debs"
deb() {  # $1: folder; the rest: variables of cpack
  (umask 022; cpack --config "$build/CPackConfig.cmake" -B "$work/debs/$1" "${@:2}") > "$work/cpack.log" 2>&1 ||
    fail "cpack: $(cat "$work/cpack.log")"
  echo "$work/debs/$1"/eventgate_*.deb
}
old=$(deb old -D CPACK_PACKAGE_VERSION=0.1.0)
new=$(deb new -D CPACK_DEBIAN_PACKAGE_RELEASE=1~deb12 -D CPACK_DEBIAN_PACKAGE_MAINTAINER="Release Test <release@example.org>")
[[ $(dpkg-deb -f "$new" Version) == "$debian-1~deb12" ]] || fail "the package's version is $(dpkg-deb -f "$new" Version)"
[[ $(dpkg-deb -f "$new" Maintainer) == 'Release Test <release@example.org>' ]] || fail "the maintainer is $(dpkg-deb -f "$new" Maintainer)"

# --- The release

export GNUPGHOME=$work/gnupg
rm -rf "$GNUPGHOME"
mkdir -m 0700 "$GNUPGHOME"
root=$(mktemp -d "$work/root.XXXXXX")
gate= broker=
cleanup() {
  [[ -z $gate ]] || kill -KILL "$gate" 2>/dev/null || true
  [[ -z $broker ]] || tests/support/kafka/kafka kill "$broker" || true
  gpgconf --kill all 2>/dev/null || true
  rm -rf --one-file-system "$root"
}
trap cleanup EXIT
gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-generate-key 'release@example.org' ed25519 sign never 2> "$work/gpg.log" ||
  fail "gpg made no key: $(cat "$work/gpg.log")"
release() { packaging/release/make_release "$version" "$work/made" "$tarball" "$@"; }
tarball=$work/debs/eventgate-$version-linux-amd64.tar.gz
echo "not the real one, which tarball_test.sh makes" | gzip > "$tarball"
said=$(EVENTGATE_SIGNING_KEY= release "bookworm=$new" 2>&1) && fail "a release without a key"
[[ $said == *EVENTGATE_SIGNING_KEY* ]] || fail "expected a word about the key, got: $said"
export EVENTGATE_SIGNING_KEY=release@example.org
said=$(release "bookworm=$old" 2>&1) && fail "a release of a package of another version"
[[ $said == *"another version"* ]] || fail "expected a word about the version, got: $said"
rm -rf "$work/made"
release "bookworm=$new" > "$work/release.log" 2>&1 || fail "make_release: $(cat "$work/release.log")"

cd "$work/made"
for file in "$(basename "$new")" "$(basename "$tarball")" "eventgate-$version-notes.md" "eventgate-chart-$version.tgz" \
    "eventgate-image-$version.tar.gz" eventgate-keyring.asc apt/eventgate-keyring.asc apt/dists/bookworm/InRelease SHA256SUMS SHA256SUMS.asc; do
  [[ -s $file ]] || fail "the release has no $file"
done
gpg --batch --quiet --verify SHA256SUMS.asc SHA256SUMS 2> "$work/gpg.log" || fail "the signature of SHA256SUMS: $(cat "$work/gpg.log")"
sha256sum --quiet --check SHA256SUMS || fail "SHA256SUMS does not hold"
[[ $(find . -type f ! -name 'SHA256SUMS*' | wc -l) == "$(wc -l < SHA256SUMS)" ]] || fail "SHA256SUMS does not have every file"
grep -q "^# EventGate $version" "eventgate-$version-notes.md" && (($(wc -l < "eventgate-$version-notes.md") > 5)) || fail "the notes are empty"
! grep -q '^## ' "eventgate-$version-notes.md" || fail "the notes have parts of other versions"
tar -xzOf "eventgate-chart-$version.tgz" eventgate/Chart.yaml | grep -qx "version: $version" || fail "the chart is of another version"
mkdir "$work/debs/image"
tar -C "$work/debs/image" -xzf "eventgate-image-$version.tar.gz"
cmp "$new" "$work/debs/image/image/package/$(basename "$new")" || fail "the image has another package"
grep -q '^COPY package/ ' "$work/debs/image/image/Dockerfile" && grep -q '^ENTRYPOINT' "$work/debs/image/image/Dockerfile" ||
  fail "the image's Dockerfile is not one: $(cat "$work/debs/image/image/Dockerfile")"
cd - > /dev/null

# --- Installed from it, as an upgrade of 0.1.0

((EUID == 0)) || skip "chroot needs root; the release itself is tested"
base=$build/package-test/bookworm.tar
[[ -e $base ]] || skip "packaging.deb has made no bare Debian; the release itself is tested"
tar -C "$root" -xf "$base"
cp /etc/resolv.conf "$root/etc/resolv.conf"
mkdir -p "$root/var/cache/apt/archives" "$root/etc/apt/keyrings" "$root/srv"
cp "$build"/package-test/archives/*.deb "$root/var/cache/apt/archives/" 2>/dev/null || true
rm -f "$root"/var/cache/apt/archives/eventgate*
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }
cp "$old" "$root/tmp/old.deb"
inside apt-get update -q > "$work/apt.log" 2>&1 || skip "no package lists; the release itself is tested"
inside apt-get install -y -q --no-install-recommends /tmp/old.deb > "$work/apt.log" 2>&1 || fail "0.1.0: $(tail -n 20 "$work/apt.log")"
[[ $(inside dpkg-query -W -f '${Version}' eventgate) == 0.1.0-1 ]] || fail "0.1.0 is not installed"
echo '# mine' >> "$root/etc/eventgate/config.yaml"
mkdir -p "$root/var/lib/eventgate/spool"
gunzip -c tests/packaging/spool-0.1.0.db.gz > "$root/var/lib/eventgate/spool/spool.db"

cp -r "$work/made/apt" "$root/srv/apt"
cp "$work/made/eventgate-keyring.asc" "$root/etc/apt/keyrings/eventgate.asc"
echo 'deb [signed-by=/etc/apt/keyrings/eventgate.asc] file:/srv/apt bookworm main' > "$root/etc/apt/sources.list.d/eventgate.list"
# Only our own list: the others were just read.
update() { inside apt-get update -q -o Dir::Etc::sourcelist=sources.list.d/eventgate.list -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0; }
echo >> "$root/srv/apt/dists/bookworm/main/binary-amd64/Packages"
rm "$root/srv/apt/dists/bookworm/main/binary-amd64/Packages.gz"
update > "$work/apt.log" 2>&1 && fail "a repository that was changed is accepted: $(cat "$work/apt.log")"
rm -rf "$root/srv/apt"
cp -r "$work/made/apt" "$root/srv/apt"
update > "$work/apt.log" 2>&1 || fail "the repository: $(cat "$work/apt.log")"
! grep -qi 'warning\|NO_PUBKEY' "$work/apt.log" || fail "the repository: $(cat "$work/apt.log")"
inside apt-get install -y -q --no-install-recommends eventgate > "$work/apt.log" 2>&1 || fail "the upgrade: $(tail -n 20 "$work/apt.log")"
[[ $(inside dpkg-query -W -f '${Version}' eventgate) == "$debian-1~deb12" ]] || fail "it was not upgraded: $(cat "$work/apt.log")"
[[ $(tail -n 1 "$root/etc/eventgate/config.yaml") == '# mine' ]] || fail "the upgrade took the config away"
said=$(inside eventgate spool list /var/lib/eventgate/spool)
[[ $said == *"interwiki_link_hover: 3 records"* ]] || fail "the spool of 0.1.0 is read as: $said"

# --- What 0.1.0 spooled is produced

rm -rf "$work/kafka"
code=0
address=$(tests/support/kafka/kafka start "$work/kafka" --watch $$ 2> "$work/kafka.log") || code=$?
((code != 77)) || skip "no Kafka broker: $(cat "$work/kafka.log"); the upgrade itself is tested"
((code == 0)) || fail "the broker: $(cat "$work/kafka.log")"
broker=$work/kafka
cat > "$root/etc/eventgate/here.yaml" <<C
port: 0
interface: 127.0.0.1
metrics: []
kafka: {conf: {metadata.broker.list: '$address'}}
spool: {path: /var/lib/eventgate/spool}
C
: > "$work/gate.log"
chroot "$root" /bin/sh -c 'cd /var/lib/eventgate && exec eventgate serve -c /etc/eventgate/config.yaml -c /etc/eventgate/here.yaml' \
  > "$work/gate.log" 2>&1 &
gate=$!
for ((i = 0; ; i++)); do
  kill -0 "$gate" 2>/dev/null || fail "the gate did not start: $(cat "$work/gate.log")"
  [[ $(inside eventgate spool list /var/lib/eventgate/spool) == *interwiki_link_hover* ]] || break
  ((i < 600)) || fail "the spool is not replayed: $(tail -n 5 "$work/gate.log")"
  sleep 0.1
done
kill -TERM "$gate"
code=0
wait "$gate" || code=$?
gate=
((code == 0)) || fail "expected the gate to exit with 0 on SIGTERM, got $code: $(cat "$work/gate.log")"
tests/support/kafka/kafka stop "$broker"
found=$(cat "$broker"/data/*interwiki_link_hover*/*.log | grep -ao '"link_title": "Kranich"' | wc -l)
((found == 3)) || fail "expected the 3 records in Kafka, found $found"
broker=

# And back.
inside apt-get install -y -q --no-install-recommends --allow-downgrades /tmp/old.deb > "$work/apt.log" 2>&1 || fail "back to 0.1.0: $(tail -n 20 "$work/apt.log")"
[[ $(inside dpkg-query -W -f '${Version}' eventgate) == 0.1.0-1 ]] || fail "0.1.0 is not installed again"
[[ $(tail -n 1 "$root/etc/eventgate/config.yaml") == '# mine' ]] || fail "going back took the config away"
echo "released, installed by apt with signed-by as an upgrade of 0.1.0, 3 records of its spool are in Kafka"

#!/usr/bin/env bash
# The Debian package in a bare Debian 12: lintian has no errors; installed, it answers the README's curl command as the
# image of docker/Dockerfile would (its last stage's RUN lines are run, the root file system is read-only, the user is
# none); upgraded, it keeps the config; purged, it leaves nothing.
# usage: package_test.sh BUILD
set -euo pipefail
build=$1
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mirror=${EVENTGATE_DEBIAN_MIRROR:-http://deb.debian.org/debian}

skip() { echo "SKIPPED: $*"; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }
for tool in lintian debootstrap dpkg-shlibdeps; do
  command -v "$tool" >/dev/null || skip "there is no $tool (./dev test installs it)"
done
((EUID == 0)) || skip "debootstrap and chroot need root"
unshare -m true 2>/dev/null || skip "there are no mount namespaces here"

work=$build/package-test
mkdir -p "$work"
for release in 1 2; do
  rm -rf "$work/deb-$release"
  (umask 022; cpack --config "$build/CPackConfig.cmake" -B "$work/deb-$release" -D CPACK_DEBIAN_PACKAGE_RELEASE="$release") \
    > "$work/cpack.log" 2>&1 || fail "cpack: $(cat "$work/cpack.log")"
done
deb=$(echo "$work"/deb-1/eventgate_*.deb)
[[ $(basename "$deb") == "eventgate_$(sed -n '1s/.*(\(.*\)).*/\1/p' packaging/debian/changelog)_"* ]] ||
  fail "the changelog is of another version than $(basename "$deb")"
lintian --allow-root --fail-on error "$deb" > "$work/lintian" 2>&1 || fail "lintian: $(cat "$work/lintian")"
echo "lintian: no errors, $(grep -c '^W:' "$work/lintian" || true) warnings"

# The bare Debian is kept in the build folder: making it takes a minute or two.
base=$work/bookworm.tar
if [[ ! -e $base ]]; then
  rm -rf "$work/base"
  debootstrap --variant=minbase bookworm "$work/base" "$mirror" > "$work/debootstrap.log" 2>&1 ||
    skip "debootstrap could not make a bare Debian from $mirror: $(tail -n 1 "$work/debootstrap.log")"
  tar -C "$work/base" -cf "$base.part" . && mv "$base.part" "$base"
  rm -rf "$work/base"
fi
root=$(mktemp -d "$work/root.XXXXXX")
state=$root.state gate=
cleanup() {
  [[ -z $gate ]] || kill -KILL "$gate" 2>/dev/null || true
  rm -rf --one-file-system "$root" "$state"
}
trap cleanup EXIT
tar -C "$root" -xf "$base"
cp /etc/resolv.conf "$root/etc/resolv.conf"
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"; }
inside apt-get update -q > "$work/apt.log" 2>&1 || skip "no package lists from $mirror: $(tail -n 1 "$work/apt.log")"
! ls "$root/usr/bin/eventgate" 2>/dev/null || fail "it is there already"

# Installed as in the image. What it depends on is kept in the build folder, too.
mkdir -p "$work/archives"
cp "$work"/archives/*.deb "$root/var/cache/apt/archives/" 2>/dev/null || true
mkdir "$root/tmp/package"
cp "$deb" "$root/tmp/package"
runs=$(awk '/^FROM /{ stage++ } stage == 2 && sub(/^RUN /, "")' docker/Dockerfile)
[[ -n $runs ]] || fail "docker/Dockerfile has no RUN lines in its last stage"
while IFS= read -r run; do
  inside /bin/sh -c "$run" > "$work/run.log" 2>&1 < /dev/null || fail "RUN $run: $(tail -n 20 "$work/run.log")"
done <<< "$runs"
cp "$root"/var/cache/apt/archives/*.deb "$work/archives/" 2>/dev/null || true
for file in /usr/bin/eventgate /etc/eventgate/config.yaml /etc/eventgate/stream-config.yaml \
    /lib/systemd/system/eventgate.service /lib/systemd/system/eventgate.socket \
    /lib/systemd/system/eventgate-tables.service /lib/systemd/system/eventgate-tables.timer /usr/share/man/man8/eventgate.8.gz \
    /usr/share/man/man5/eventgate.yaml.5.gz /usr/share/bash-completion/completions/eventgate \
    /usr/share/zsh/vendor-completions/_eventgate /usr/share/fish/vendor_completions.d/eventgate.fish \
    /usr/share/eventgate/schemas/test/event/1.0.0 /usr/share/eventgate/client/client.js /usr/share/doc/eventgate/copyright; do
  [[ -e $root$file ]] || fail "the package has no $file"
done
installed=$(inside dpkg-query -W -f '${Conffiles}' eventgate)
[[ $installed == *" /etc/eventgate/config.yaml "* ]] || fail "config.yaml is no conffile: $installed"
[[ -L $root/etc/systemd/system/multi-user.target.wants/eventgate.service ]] || fail "the service is not enabled"

# It runs as nobody in particular, and writes to its state only.
state_owner=$(stat -c %u:%g "$root/var/lib/eventgate")
mkdir -m 0700 "$state"
chown "$state_owner" "$state"
cat > "$root/etc/eventgate/here.yaml" <<'C'
port: 0
interface: 127.0.0.1
metrics: []
C
: > "$work/gate.log"  # there before it is looked into
unshare -m --propagation private /bin/sh -c '
  mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && mount --bind "$2" "$1/var/lib/eventgate" &&
  exec chroot --userspec="$3" "$1" /bin/sh -c "cd /var/lib/eventgate && exec eventgate serve -c /etc/eventgate/config.yaml \
    -c /etc/eventgate/here.yaml"' sh "$root" "$state" "$state_owner" > "$work/gate.log" 2>&1 &
gate=$!
port=
until [[ -n $port ]]; do
  kill -0 "$gate" 2>/dev/null || fail "the gate did not start: $(cat "$work/gate.log")"
  port=$(sed -n '/"msg":"listening"/s/.*"port":\([0-9]*\).*/\1/p' "$work/gate.log" | head -n 1)
  sleep 0.05
done
reply=$(bash -c "$(./dev example "$port")" 2>"$work/curl") || fail "curl: $(cat "$work/curl")"
[[ $reply == 'HTTP/1.1 201 All 1 out of 1 events were accepted.'* ]] || fail "expected a 201, got: $reply"
echo "port: $port" > "$root/etc/eventgate/port.yaml"
health=(eventgate health -c /etc/eventgate/config.yaml -c /etc/eventgate/here.yaml -c /etc/eventgate/port.yaml)
inside "${health[@]}" || fail "eventgate health says that it is not"
kill -TERM "$gate"
code=0
wait "$gate" || code=$?
gate=
((code == 0)) || fail "expected the gate to exit with 0 on SIGTERM, got $code: $(cat "$work/gate.log")"
! inside "${health[@]}" 2>/dev/null || fail "eventgate health says that a gate is well which is gone"
[[ $(find "$state" -path '*/eqiad.mediawiki.interwiki_link_hover/*.ndjson' | wc -l) == 1 ]] ||
  fail "the event is in no file: $(find "$state")"

# Upgraded: what the administrator wrote stays.
echo '# mine' >> "$root/etc/eventgate/config.yaml"
cp "$work"/deb-2/eventgate_*.deb "$root/tmp/next.deb"
inside dpkg -i /tmp/next.deb > "$work/upgrade.log" 2>&1 || fail "the upgrade: $(cat "$work/upgrade.log")"
[[ $(inside dpkg-query -W -f '${Version}' eventgate) == *-2 ]] || fail "it was not upgraded"
[[ $(tail -n 1 "$root/etc/eventgate/config.yaml") == '# mine' ]] || fail "the upgrade took the config away"
inside /bin/sh -c 'cd /var/lib/eventgate && eventgate check -c /etc/eventgate/config.yaml' > "$work/check.log" 2>&1 ||
  fail "eventgate check: $(cat "$work/check.log")"

# Purged.
rm "$root/tmp/next.deb"
inside dpkg --remove eventgate > "$work/remove.log" 2>&1 || fail "the removal: $(cat "$work/remove.log")"
[[ -e $root/etc/eventgate/config.yaml ]] || fail "a removal takes the config away"
inside dpkg --purge eventgate > "$work/purge.log" 2>&1 || fail "the purge: $(cat "$work/purge.log")"
left=$(find "$root" -name '*eventgate*')
[[ -z $left ]] || fail "the purge left: $left"
echo "installed, answered the curl command with 201 on a read-only root, upgraded, purged"

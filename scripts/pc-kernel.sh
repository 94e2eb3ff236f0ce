#!/bin/sh
# Fetches Debian's kernel for the lab's PC: sh scripts/pc-kernel.sh FOLDER
#
# FOLDER gets the uncompressed vmlinux and the modules that the lab may load, from the kernel package of this machine's
# Debian. Nothing is installed. The kernel is uncompressed here because an emulated processor takes seconds for it.

set -u
fail() { echo "pc-kernel: $*" >&2; exit 1; }

[ $# = 1 ] || fail "usage: sh scripts/pc-kernel.sh FOLDER"
folder=$1
for tool in apt-get apt-cache dpkg-deb xz; do command -v $tool >/dev/null || fail "there is no $tool here"; done
[ "$(dpkg --print-architecture)" = amd64 ] || fail "the lab's PC is amd64, this is $(dpkg --print-architecture)"

work=$(mktemp -d)
unfinished=$folder.$$
trap 'rm -rf "$work" "$unfinished"' EXIT
trap 'exit 1' HUP INT TERM
# apt fetches as another user.
chmod 777 "$work"

# Without a network, apt is to fail within seconds.
own() { apt-get -qq -o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 "$@" >&2; }
fetch() {
  package=$(apt-cache depends linux-image-amd64 2>/dev/null | awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ { print $2; exit }')
  [ -n "$package" ] && (cd "$work" && own download "$package")
}
# Old package lists may name packages that the mirror no longer has.
fetch || { [ "$(id -u)" = 0 ] && own update && fetch; } || fail "apt could not fetch linux-image-amd64's kernel"

dpkg-deb --fsys-tarfile "$work"/linux-image-*.deb | tar -x -C "$work" --wildcards './boot/vmlinuz-*' \
  '*/kernel/drivers/usb/*' '*/kernel/drivers/net/tun.ko*' '*/kernel/drivers/virtio/*' '*/kernel/net/9p/*' \
  '*/kernel/fs/9p/*' '*/kernel/fs/netfs/*' '*/kernel/fs/fscache/*' || fail "the package could not be unpacked"

# The boot protocol's header: the number of 512-octet sectors before the kernel proper, then where in it the xz stream is.
number() { od -An -v -t "u$2" -j "$(($1))" -N "$2" "$work"/boot/vmlinuz-* | tr -d ' '; }
start=$((($(number 0x1f1 1) + 1) * 512 + $(number 0x248 4)))
mkdir -p "$unfinished/modules"
tail -c +$((start + 1)) "$work"/boot/vmlinuz-* | head -c "$(number 0x24c 4)" | xz -dc --single-stream >"$unfinished/vmlinux" ||
  fail "the kernel could not be uncompressed"
find "$work" -name '*.ko.xz' -exec xz -d {} +
find "$work" -name '*.ko' -exec mv {} "$unfinished/modules/" \;
# Another run may have made the folder in the meantime.
[ -d "$folder" ] || mv "$unfinished" "$folder"

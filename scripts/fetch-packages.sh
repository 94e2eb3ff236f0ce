#!/bin/sh
# Fetches Debian packages into a folder, with the libraries that this machine lacks: sh scripts/fetch-packages.sh FOLDER PACKAGE...
#
# Nothing is installed: what is installed starts its daemons here, and is there for everybody. Root is not needed.

set -u

fail() { echo "fetch-packages: $*" >&2; exit 1; }

[ $# -ge 2 ] || fail "usage: sh scripts/fetch-packages.sh FOLDER PACKAGE..."
folder=$1
shift
command -v apt-get >/dev/null || fail "there is no apt here"

work=$(mktemp -d)
unfinished=$folder.$$
trap 'rm -rf "$work" "$unfinished"' EXIT
trap 'exit 1' HUP INT TERM
# apt fetches as another user.
chmod 755 "$work"
mkdir -p "$work/archives/partial" "$unfinished"
apt-get -qq -o Debug::NoLocking=1 -o Dir::Cache::archives="$work/archives" -o APT::Sandbox::User= \
  -o Acquire::Retries=1 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 \
  --yes --no-install-recommends --download-only install "$@" >&2 || fail "apt could not fetch them"
for package in "$work"/archives/*.deb; do
  [ -e "$package" ] || break # all of them are installed here
  dpkg-deb --extract "$package" "$unfinished" || fail "dpkg-deb could not unpack $package"
done
# Everything is in usr, as where /bin, /sbin and /lib are links to it.
for part in bin sbin lib lib64; do
  [ -d "$unfinished/$part" ] || continue
  mkdir -p "$unfinished/usr/$part"
  cp -a "$unfinished/$part/." "$unfinished/usr/$part/"
  rm -rf "${unfinished:?}/$part"
done
rm -rf "${unfinished:?}/usr/share" "${unfinished:?}/var" "${unfinished:?}/usr/lib/python3" "${unfinished:?}/usr/lib/systemd"
# Another run may have made the folder in the meantime.
[ -d "$folder" ] || mv "$unfinished" "$folder"

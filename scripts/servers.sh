#!/bin/sh
# Fetches the servers that lie "outside" in tests of the way to the Internet: sh scripts/servers.sh FOLDER
#
# FOLDER gets the files of Debian's nginx, dnsmasq, sshd, vsftpd, Samba, dig and traceroute, and of the libraries that
# this machine lacks. Nothing is installed: installed servers would start here, and be there for everybody. Root is not
# needed.

set -u
packages="nginx dnsmasq-base openssh-server openssh-sftp-server vsftpd samba smbclient bind9-dnsutils traceroute"

fail() { echo "servers: $*" >&2; exit 1; }

[ $# = 1 ] || fail "usage: sh scripts/servers.sh FOLDER"
folder=$1
command -v apt-get >/dev/null || fail "there is no apt here"

work=$(mktemp -d)
unfinished=$folder.$$
trap 'rm -rf "$work" "$unfinished"' EXIT
trap 'exit 1' HUP INT TERM
# apt fetches as another user.
chmod 755 "$work"
mkdir -p "$work/archives/partial" "$unfinished"
# shellcheck disable=SC2086 # one word a package
apt-get -qq -o Debug::NoLocking=1 -o Dir::Cache::archives="$work/archives" -o APT::Sandbox::User= \
  -o Acquire::Retries=1 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 \
  --yes --no-install-recommends --download-only install $packages >&2 || fail "apt could not fetch them"
for package in "$work"/archives/*.deb; do
  [ -e "$package" ] || break # all of them are installed here
  dpkg-deb --extract "$package" "$unfinished" || fail "dpkg-deb could not unpack $package"
done
rm -rf "${unfinished:?}/usr/share" "${unfinished:?}/var" "${unfinished:?}/usr/lib/python3"
# Another run may have made the folder in the meantime.
[ -d "$folder" ] || mv "$unfinished" "$folder"

#!/bin/sh
# Fetches pppd 2.5.2 for the lab: sh scripts/trixie.sh FOLDER
#
# FOLDER gets the files of Debian trixie's package ppp and of the packages that it depends on. Nothing is installed. apt uses
# a separate state in a temporary folder and a mirror from this machine's sources, and accepts what Debian's keyring has
# signed. Root is not needed.

set -u
release=trixie
version=2.5.2
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

fail() { echo "trixie: $*" >&2; exit 1; }

[ $# = 1 ] || fail "usage: sh scripts/trixie.sh FOLDER"
folder=$1
command -v apt-get >/dev/null || fail "there is no apt here"
[ "$(dpkg --print-architecture)" = amd64 ] || fail "the lab's guest is amd64, this is $(dpkg --print-architecture)"
[ -r $keyring ] || fail "$keyring is missing (Debian package debian-archive-keyring)"
# shellcheck disable=SC2016 # apt's own variables
mirror=$(apt-get indextargets --format '$(ORIGIN)/$(LABEL)/$(COMPONENT) $(SITE)' 'Created-By: Packages' |
  awk '$1 == "Debian/Debian/main" { print $2; exit }')
[ -n "$mirror" ] || fail "this machine's apt knows no mirror of Debian (apt-get update)"

work=$(mktemp -d)
unfinished=$folder.$$
trap 'rm -rf "$work" "$unfinished"' EXIT
trap 'exit 1' HUP INT TERM
# apt fetches as another user.
chmod 755 "$work"
mkdir -p "$work/lists/partial" "$work/archives/partial"
: >"$work/status"
echo "deb [signed-by=$keyring] $mirror $release main" >"$work/sources.list"
# apt reads this after the machine's settings, whose hooks are for the machine's own state.
cat >"$work/apt.conf" <<CONF
#clear APT::Update;
#clear DPkg;
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$work";
Dir::State::status "$work/status";
Dir::Cache "$work";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Timeout "10";
Acquire::https::Timeout "10";
CONF
own() { apt-get -c "$work/apt.conf" -qq "$@"; }

own update >&2 || fail "apt could not read $release's list of packages"
apt-cache -c "$work/apt.conf" show --no-all-versions ppp | grep -q "^Version: $version-" ||
  fail "$release's ppp is not of version $version"
own --yes --download-only install ppp >&2 || fail "apt could not fetch $release's ppp"
mkdir -p "$unfinished"
for package in "$work"/archives/*.deb; do
  dpkg-deb --extract "$package" "$unfinished" || fail "dpkg-deb could not unpack $package"
done
rm -rf "${unfinished:?}/usr/share" "${unfinished:?}/var"
# Another run may have made the folder in the meantime.
[ -d "$folder" ] || mv "$unfinished" "$folder"

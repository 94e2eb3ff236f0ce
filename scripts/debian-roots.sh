#!/bin/sh
# Makes the small Debians in which the package is tested: sh scripts/debian-roots.sh FOLDER
#
# FOLDER gets bookworm.tar and trixie.tar: minimal systems with man, what Debian's package ppp depends on, and that package
# as /ppp.deb. Nothing is installed here. Root is needed. The mirror is one of this machine's.

set -u

fail() { echo "debian-roots: $*" >&2; exit 1; }

[ $# = 1 ] || fail "usage: sh scripts/debian-roots.sh FOLDER"
folder=$1
command -v mmdebstrap >/dev/null || fail "there is no mmdebstrap here (Debian package mmdebstrap)"
[ "$(id -u)" = 0 ] || fail "only root can do this"
# shellcheck disable=SC2016 # apt's own variables
mirror=$(apt-get indextargets --format '$(ORIGIN)/$(LABEL)/$(COMPONENT) $(SITE)' 'Created-By: Packages' |
  awk '$1 == "Debian/Debian/main" { print $2; exit }')
[ -n "$mirror" ] || fail "this machine's apt knows no mirror of Debian (apt-get update)"

unfinished=$folder.$$
trap 'rm -rf "$unfinished"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$unfinished"

# The database of manual pages is not kept current: man finds them without.
# shellcheck disable=SC2016 # for a shell inside mmdebstrap
finish='chroot "$1" sh -ec "
  apt-get -qq --yes --no-install-recommends install ppp >/dev/null
  mv /var/cache/apt/archives/ppp_*.deb /ppp.deb
  dpkg --purge ppp >/dev/null
  rm -f /var/lib/man-db/auto-update
  rm -rf /usr/share/locale /usr/share/zoneinfo /var/cache/man
"'
for release in bookworm trixie; do
  mmdebstrap --quiet --mode=root --variant=minbase --include=man-db --aptopt='Acquire::Languages "none"' \
    --aptopt='APT::Keep-Downloaded-Packages "true"' --customize-hook="$finish" \
    "$release" "$unfinished/$release.tar" "$mirror" >&2 || fail "mmdebstrap could not make $release"
done
# Another run may have made the folder in the meantime.
[ -d "$folder" ] || mv "$unfinished" "$folder"

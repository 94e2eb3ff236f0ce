#!/bin/sh
# The names that nullmodem and Debian's package ppp both have: ppp-names.sh add|remove, for postinst and prerm.
#
# A diversion gives ppp's files other names (pppd.distrib), whether ppp is there, comes later or is upgraded. The names
# themselves are one group of update-alternatives, pppd: all lead to ppp's files, or all to nullmodem's. ppp's are preferred
# while they are there. No file of this package has one of these names, so that nothing is missing between unpacking
# and configuring, and the order in which the two packages come does not matter.

set -eu
own=/usr/lib/nullmodem
pages=/usr/share/man
bash=/usr/share/bash-completion/completions
fish=/usr/share/fish/vendor_completions.d

# Lines of: the alternative's name, the path, nullmodem's file, the path to which ppp's is diverted.
names() {
  for name in pppd chat pppstats pppdump; do
    echo "$name /usr/sbin/$name $own/$name /usr/sbin/$name.distrib"
  done
  for name in pon poff plog; do
    echo "$name /usr/bin/$name $own/$name /usr/bin/$name.distrib"
  done
  for name in pppd chat pppstats pppdump; do
    echo "$name.8.gz $pages/man8/$name.8.gz $pages/man8/nullmodem-$name.8.gz $pages/man8/$name.distrib.8.gz"
  done
  for name in pon poff plog; do
    echo "$name.1.gz $pages/man1/$name.1.gz $pages/man1/nullmodem-$name.1.gz $pages/man1/$name.distrib.1.gz"
  done
  for name in pppd chat pppstats pppdump pon poff plog; do
    echo "$name.bash $bash/$name $bash/nullmodem $bash/$name.distrib"
    echo "$name.fish $fish/$name.fish $fish/nullmodem.fish $fish/$name.distrib.fish"
  done
}

# pppd is the first of the group: without it there are no alternatives, and a diverted name would lead nowhere.
pppd_is_free() {
  case $(dpkg-divert --listpackage /usr/sbin/pppd) in '' | nullmodem) ;; *) return 1 ;; esac
}

# Diverts the names, and prints the lines of those that are diverted by this package.
divert() {
  names | while read -r name path ours theirs; do
    by=$(dpkg-divert --listpackage "$path")
    case $by in
      '') dpkg-divert --quiet --package nullmodem --divert "$theirs" --rename --add "$path" >&2 || exit 1 ;;
      nullmodem) ;;
      *)
        echo "nullmodem: $path stays as it is, because another diversion has it: dpkg-divert --list $path" >&2
        continue
        ;;
    esac
    echo "$name $path $ours $theirs"
  done
}

# register PRIORITY COLUMN LINES: registers the files of that column, 3 or 4, of which pppd must exist.
register() {
  priority=$1 column=$2
  # The words of the command line, each without a space in it.
  words=$(echo "$3" | while read -r name path ours theirs; do
    file=$ours
    [ "$column" = 3 ] || file=$theirs
    [ -e "$file" ] || continue
    if [ "$name" = pppd ]; then echo "--install $path $name $file $priority"; else echo "--slave $path $name $file"; fi
  done)
  # shellcheck disable=SC2086
  update-alternatives --quiet $words
}

add() {
  if ! pppd_is_free; then
    echo "nullmodem: ppp's names stay as they are, because another diversion has pppd: dpkg-divert --list /usr/sbin/pppd" >&2
    return
  fi
  lines=$(divert)
  register 50 3 "$lines"
  if [ -e /usr/sbin/pppd.distrib ]; then
    register 100 4 "$lines"
  else
    update-alternatives --quiet --remove pppd /usr/sbin/pppd.distrib
  fi
}

remove() {
  if update-alternatives --query pppd >/dev/null 2>&1; then update-alternatives --quiet --remove-all pppd; fi
  names | while read -r name path ours theirs; do
    [ "$(dpkg-divert --listpackage "$path")" = nullmodem ] || continue
    dpkg-divert --quiet --package nullmodem --divert "$theirs" --rename --remove "$path" || exit 1
  done
}

case ${1:-} in
  add) add ;;
  remove) remove ;;
  *)
    echo "usage: ppp-names.sh add|remove" >&2
    exit 2
    ;;
esac

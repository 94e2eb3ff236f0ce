#!/bin/sh
# Installs nullmodem from this folder: sh install.sh --help
#
# For any POSIX sh with what a minimal Debian or Alpine has; on a FAT stick nothing can be executable or a link. All it
# makes is written into a manifest, a line each, and --uninstall goes through that backwards:
#   file SUM PATH      made by us; taken away while it still has that SHA-256
#   link TARGET PATH   taken away while it still leads there
#   dir - PATH         taken away when it is empty
#   divert - PATH      dpkg-divert moved it to PATH.distrib; rename - PATH: we did
#   block - PATH       the lines between our marks in somebody else's file
#   systemd|openrc - NAME   is enabled

set -u
umask 022
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Some of these make the executable run other code than its own.
for name in $(env | sed -n 's/^\(BUN_[A-Za-z0-9_]*\)=.*/\1/p'); do unset "$name"; done

APPLETS="pppd chat pppstats pppdump pon poff plog"
BEGIN="# nullmodem begin"
END="# nullmodem end"

usage() {
  cat <<EOF
sh install.sh [OPTIONS] [-- PPPD OPTIONS]   as root: installs nullmodem as pppd, chat, pppstats, pppdump, pon, poff, plog

  --service KIND   and makes inittab, systemd, openrc or cron start pppd on --device with the words behind --
  --device DEVICE  /dev/ttyS0 unless it is said, or the words behind -- call a peers file
  --replace        also in the place of the distribution's pppd and its like, which are kept as pppd.distrib
  --yes            asks nothing
  --dry-run        says what it would do, and does nothing
  --unpack FOLDER  only puts the executable and its names into a folder; needs no root
  --uninstall      takes back all that an earlier run made; your changed files in /etc/ppp stay
  --help           this

It goes to \${PREFIX:-/usr/local}/sbin, manual pages and completions of shells to share. Nothing is fetched from anywhere.
EOF
}

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }
# Does it, or says that it would.
run() {
  if [ -n "$dry" ]; then say "would: $*"; else "$@"; fi
}

# --- What was asked for

dry='' yes='' replace='' uninstall='' unpack='' kind='' device=''
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage && exit 0 ;;
    --dry-run) dry=1 ;;
    --yes | -y) yes=1 ;;
    --replace) replace=1 ;;
    --uninstall) uninstall=1 ;;
    --service | --device | --unpack)
      [ -n "${2:-}" ] || fail "$1 needs a word behind it"
      case $1 in --service) kind=$2 ;; --device) device=$2 ;; *) unpack=$2 ;; esac
      shift
      ;;
    --)
      shift
      break
      ;;
    *) fail "$1? See sh install.sh --help" ;;
  esac
  shift
done
case $kind in
  '' | inittab | systemd | openrc | cron) ;;
  *) fail "--service is inittab, systemd, openrc or cron, not $kind" ;;
esac

here=$(cd "$(dirname "$0")" && pwd) || exit 1
prefix=${PREFIX:-/usr/local}
sbin=$prefix/sbin
state=$prefix/lib/nullmodem
# Our own copy, which is kept there for --uninstall.
if [ -f "$here/manifest" ]; then
  state=$here
  prefix=${state%/lib/nullmodem}
  sbin=$prefix/sbin
fi
manifest=$state/manifest
# What is to be removed, and whether an install or an unpacking is to be taken back, when it ends early.
new='' began=''
trap 'end $?' EXIT
trap 'exit 1' HUP INT TERM

end() {
  trap - EXIT
  [ -z "$new" ] || rm -f "$new"
  if [ "$1" != 0 ] && [ -n "$began" ]; then take_back >&2; fi
  exit "$1"
}

[ -n "$unpack$dry" ] || [ "$(id -u)" = 0 ] || fail "only root can do that: sudo sh $0, or su -c 'sh $0'"

# --- The manifest

if has sha256sum; then
  sums() { sha256sum; }
elif has busybox; then
  sums() { busybox sha256sum; }
elif has openssl; then
  sums() { openssl dgst -sha256 -r; }
else
  fail "there is no sha256sum here to verify anything with"
fi
sha256() { sums <"$1" | sed 's/ .*//'; }

# note KIND WORD PATH: in the place of what the manifest says of it already.
note() {
  [ -z "$dry" ] || return 0
  if [ -f "$manifest" ]; then
    grep -v "^$1 [^ ]* $3\$" "$manifest" >"$manifest.new"
    mv "$manifest.new" "$manifest"
  fi
  printf '%s %s %s\n' "$1" "$2" "$3" >>"$manifest" || fail "cannot write $manifest"
}
# Is that file one of ours, and as we made it?
ours() { [ -f "$manifest" ] && grep -qFx "file $(sha256 "$1") $1" "$manifest"; }

make_folder() {
  [ ! -d "$1" ] || return 0
  make_folder "$(dirname "$1")"
  run mkdir "$1" || fail "cannot make $1"
  [ "$1" = "$state" ] || folders="$folders$1
"
}
# They are written down once there is a manifest, whose own folder may be in one of them.
note_folders() {
  while read -r folder; do [ -z "$folder" ] || note dir - "$folder"; done <<EOF
$folders
EOF
  folders=''
}
# Folders that were made and are not written down, a line each, the outermost first.
folders=''
remove_folders() {
  printf '%s' "$folders" | sed '1!G;h;$!d' | while read -r folder; do rmdir "$folder" 2>/dev/null; done
}

# Moves somebody else's program out of the way, if that was asked for.
displace() {
  [ -n "$replace" ] || return 1
  if [ -e "$1.distrib" ]; then
    say "there is a $1.distrib already"
    return 1
  fi
  if has dpkg-divert; then
    run dpkg-divert --quiet --local --rename --divert "$1.distrib" --add "$1" || fail "dpkg-divert would not have $1"
    note divert - "$1"
  else
    run mv "$1" "$1.distrib" || fail "cannot rename $1"
    note rename - "$1"
  fi
}

make_link() {
  if [ "$(readlink "$2")" = "$1" ]; then
    note link "$1" "$2"
  elif { [ -e "$2" ] || [ -L "$2" ]; } && ! displace "$2"; then
    say "$2 is there already and stays as it is"
  else
    run ln -s "$1" "$2" || fail "cannot make $2"
    note link "$1" "$2"
  fi
}

# --- Taking it all back

undo() {
  case $1 in
    file)
      if [ ! -e "$3" ]; then :; elif [ "$(sha256 "$3")" = "$2" ]; then run rm -f "$3"; else say "$3 was changed since: it stays"; fi
      ;;
    link) [ "$(readlink "$3")" != "$2" ] || run rm -f "$3" ;;
    dir) ;;
    divert)
      if [ -e "$3" ]; then say "$3 is not ours: $3.distrib stays where it is"; else run dpkg-divert --quiet --local --rename --remove "$3"; fi
      ;;
    rename)
      if [ -e "$3" ]; then say "$3 is not ours: $3.distrib stays where it is"; else run mv "$3.distrib" "$3"; fi
      ;;
    block)
      if [ -n "$dry" ]; then
        say "would: take our lines out of $3"
      elif grep -q "^$END" "$3"; then
        sed "/^$BEGIN/,/^$END/d" "$3" >"$manifest.new" && cat "$manifest.new" >"$3"
      fi
      ;;
    systemd)
      if [ -d /run/systemd/system ]; then run systemctl --quiet disable --now "$3"; else run systemctl --quiet disable "$3"; fi
      ;;
    openrc)
      run rc-service "$3" stop >/dev/null 2>&1
      run rc-update --quiet del "$3"
      ;;
    *) say "$manifest: what is \"$1\"?" ;;
  esac
}

backwards() { sed '1!G;h;$!d' "$1"; }

# An install that fails leaves what was there before, and what an earlier one made.
take_back() {
  is_new() { ! grep -q "^$1 [^ ]* $2\$" "$manifest.old"; }
  new_folders=''
  if [ -f "$manifest" ]; then
    new_folders=$(backwards "$manifest" | while read -r what _ path; do
      [ "$what" != dir ] || ! is_new dir "$path" || printf '%s\n' "$path"
    done)
    backwards "$manifest" | while read -r what word path; do
      is_new "$what" "$path" || continue
      undo "$what" "$word" "$path" </dev/null
      grep -vFx "$what $word $path" "$manifest" >"$manifest.new"
      mv "$manifest.new" "$manifest"
    done
  fi
  rm -f "$manifest.old" "$manifest.new" "$state/service.new" "$state/file.new"
  rm -rf "$state/share"
  if [ ! -s "$manifest" ]; then
    rm -f "$manifest" "$state/install.sh" "$state/libstdc++.so.6"
    rmdir "$state" 2>/dev/null
  fi
  remove_folders
  printf '%s\n' "$new_folders" | while read -r folder; do [ -z "$folder" ] || rmdir "$folder" 2>/dev/null; done
}

if [ -n "$uninstall" ]; then
  [ -f "$manifest" ] || fail "there is no $manifest, so nothing was installed there (PREFIX says where to look)"
  # Backwards, so that what was made last goes first.
  lines=$(backwards "$manifest")
  while read -r what word path; do
    undo "$what" "$word" "$path" </dev/null
  done <<EOF
$lines
EOF
  [ -z "$dry" ] || exit 0
  rm -f "$manifest" "$manifest.new" "$state/install.sh" "$state/libstdc++.so.6"
  rmdir "$state" 2>/dev/null
  printf '%s\n' "$lines" | sed -n 's/^dir - //p' | while read -r folder; do
    [ ! -d "$folder" ] || rmdir "$folder" 2>/dev/null || say "$folder is not empty: it stays"
  done
  [ ! -d /run/systemd/system ] || systemctl daemon-reload
  say "nullmodem is gone. A pppd that runs goes on until it ends."
  exit 0
fi

# --- Can what was asked for be done here?

# Is there something that would read the text of that kind?
starts() {
  case $1 in
    systemd) has systemctl ;;
    openrc) has rc-update && [ -e /sbin/openrc-run ] ;;
    inittab) [ -f /etc/inittab ] ;;
    cron) [ -d /etc/cron.d ] || [ -d /etc/crontabs ] ;;
  esac
}
[ -z "$kind" ] || starts "$kind" || fail "there is no $kind here to start anything"
if [ -n "$unpack" ] && [ -e "$unpack/pppd" ] && [ "$(readlink "$unpack/pppd")" != nullmodem ]; then
  fail "$unpack has a pppd already: --unpack wants a folder of its own"
fi

# --- Which executable: the machine, the processor, the kernel, the C library

[ -f "$here/contents.txt" ] || fail "$here is not the stick: it has no contents.txt"

older() { [ "$1" -lt "$3" ] || { [ "$1" -eq "$3" ] && [ "$2" -lt "$4" ]; }; }

has_flag() { case " $flags " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
# A line of /proc/cpuinfo, of the first processor.
cpuinfo() { sed -n "s/^$1[[:space:]]*: *//p" /proc/cpuinfo 2>/dev/null | head -n 1; }

# What helps in a virtual machine, whose processor is what its settings say.
cpu_type() {
  ! has_flag hypervisor || printf '%s' ". This is a virtual machine: give it another CPU type (host, x86-64-v2 or Nehalem)"
}

flags=$(cpuinfo flags)
case $(uname -m) in
  x86_64 | amd64)
    machine=x86_64
    loader=/lib64/ld-linux-x86-64.so.2
    if [ -n "$flags" ] && ! { has_flag sse4_2 && has_flag popcnt; }; then
      fail "this processor ($(cpuinfo 'model name')) lacks SSE4.2 and POPCNT, which nullmodem cannot do without." \
        "Intel has both since the Core i of 2008, AMD since 2011$(cpu_type)"
    fi
    ;;
  aarch64 | arm64)
    machine=aarch64
    loader=/lib/ld-linux-aarch64.so.1
    ;;
  i?86 | x86)
    if has_flag lm; then
      fail "this is a 32-bit system and nullmodem is 64-bit. The processor could: it takes a 64-bit Linux"
    fi
    fail "this is a 32-bit machine and nullmodem is 64-bit"
    ;;
  arm*) fail "this is a 32-bit ARM system and nullmodem is 64-bit" ;;
  *) fail "there is no nullmodem for this kind of machine ($(uname -m)): only for 64-bit x86 and 64-bit ARM" ;;
esac

release=$(uname -r)
kernel=${release%%[!0-9.]*}
major=${kernel%%.*}
minor=${kernel#*.}
minor=${minor%%.*}
if older "${major:-0}" "${minor:-0}" 3 10; then
  fail "the kernel is too old: Linux $release, and it takes 3.10 (of 2013) or later"
fi
! older "$major" "$minor" 5 1 || say "Linux $release: Bun, which nullmodem is made with, promises only 5.1 and later; trying it all the same"

# "2.36", or nothing where the C library is not glibc.
glibc() {
  getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc //p' | grep . && return
  # Alpine may have something that only goes by the loader's name.
  { "$loader" --version || ldd --version; } 2>/dev/null |
    sed -n -e 's/.*GLIBC.* \(2\.[0-9][0-9]*\).*/\1/p' -e 's/.*GNU libc.* \(2\.[0-9][0-9]*\).*/\1/p' | head -n 1
}

version=''
[ ! -e "$loader" ] || version=$(glibc)
if [ -n "$version" ]; then
  libc=glibc
  if older "${version%%.*}" "${version#*.}" 2 17; then
    fail "the C library is too old: glibc $version, and it takes 2.17 (of 2012) or later"
  fi
elif [ -e /lib/ld-musl-$machine.so.1 ]; then
  libc=musl
elif [ -e "$loader" ]; then
  libc=glibc
elif [ -e /lib/ld-linux.so.2 ] || [ -e /lib/ld-musl-i386.so.1 ]; then
  fail "the kernel is 64-bit but the system is 32-bit, and nullmodem is 64-bit"
else
  fail "the C library is neither glibc nor musl ($loader and /lib/ld-musl-$machine.so.1 are missing)"
fi

archive='' size='' sum='' library='' library_size='' library_sum='' shared='' shared_size='' shared_sum=''
while read -r file name for_machine for_libc bytes digest; do
  case "$for_machine $for_libc" in "$machine $libc" | "any any") ;; *) continue ;; esac
  case $name in
    nullmodem) archive=$file size=$bytes sum=$digest ;;
    libstdc++.so.6) library=$file library_size=$bytes library_sum=$digest ;;
    share.tar) shared=$file shared_size=$bytes shared_sum=$digest ;;
  esac
done <"$here/contents.txt"
[ -n "$archive" ] || fail "this stick has no nullmodem for $machine with $libc"

# The C++ library of a musl system is a package that need not be there.
if [ -n "$library" ]; then
  for folder in /lib /usr/lib /usr/local/lib; do
    path=$folder/libstdc++.so.6
    if [ -e "$path" ] && ! ours "$path"; then library=''; fi
  done
fi

# --- Unpacking

# bar DONE ALL: in the last line of a terminal.
bar() {
  [ -t 2 ] || return 0
  full='########################################' none='........................................'
  done=$(($1 * 40 / $2))
  while [ ${#full} -gt $done ]; do full=${full#?}; done
  while [ ${#none} -gt $((40 - done)) ]; do none=${none#?}; done
  printf '\r[%s%s] %3d %%' "$full" "$none" $(($1 * 100 / $2)) >&2
  [ "$1" -lt "$2" ] || printf '\n' >&2
}

# By the megabyte, which is what a slow stick reads in a second.
feed() {
  blocks=$((($(wc -c <"$1") + 1048575) / 1048576))
  block=0
  while [ $block -lt $blocks ]; do
    dd if="$1" bs=1048576 skip=$block count=1 2>/dev/null || return
    block=$((block + 1))
    bar $block $blocks
  done
}

# unpack ARCHIVE SIZE SUM PATH: all of it, verified, under the path with .new behind it
unpack() {
  room=$(df -P -k "$(dirname "$4")" 2>/dev/null | sed -n '$s/^.* \([0-9][0-9]*\)  *[0-9][0-9]*% .*/\1/p')
  need=$(($2 / 1024 + 1024))
  [ "${room:-$need}" -ge $need ] || fail "$(dirname "$4") has room for $((room / 1024)) MB, and it takes $((need / 1024))"
  new=$4.new
  feed "$here/$1" | gunzip -c >"$new" || fail "$1 cannot be unpacked: the stick is damaged, or $(dirname "$4") is full"
  [ "$(sha256 "$new")" = "$3" ] || fail "$1 is not what it should be (its SHA-256 is wrong): copy the stick anew"
}

# Runs the executable at that path once. $2: where to look for the C++ library too.
try() {
  chmod 755 "$1"
  said=$(LD_LIBRARY_PATH=$2 "$1" --version 2>&1)
  case $? in
    0) return ;;
    126) fail "nothing can be run in $(dirname "$1"): it is mounted noexec" ;;
    132) fail "this processor cannot run it (illegal instruction)$(cpu_type)" ;;
  esac
  fail "it does not run here: $said"
}

if [ -n "$unpack" ]; then
  say "Unpacking $archive for $machine with $libc into $unpack"
  [ -z "$dry" ] || exit 0
  began=1
  its_library=''
  # shellcheck disable=SC2317 # end calls it
  take_back() {
    [ -z "$its_library" ] || rm -f "$its_library"
    remove_folders
  }
  make_folder "$unpack"
  start=$unpack/pppd
  if [ -n "$library" ]; then
    [ -e "$unpack/libstdc++.so.6" ] || its_library=$unpack/libstdc++.so.6
    unpack "$library" "$library_size" "$library_sum" "$unpack/libstdc++.so.6"
    mv "$new" "$unpack/libstdc++.so.6"
    start="LD_LIBRARY_PATH=$unpack $start"
  fi
  unpack "$archive" "$size" "$sum" "$unpack/nullmodem"
  try "$new" "$unpack"
  mv "$new" "$unpack/nullmodem"
  new='' began=''
  for applet in $APPLETS; do
    # Where there are no links, "nullmodem pppd" is the same.
    ln -sf nullmodem "$unpack/$applet" 2>/dev/null
  done
  [ -L "$unpack/pppd" ] || start="${start%pppd}nullmodem pppd"
  say "Start it with: $start /dev/ttyS0 115200 local noauth nodetach"
  exit 0
fi

# --- Installing

# The line for these words: a peers file that is called says which itself.
on_device() {
  case " $* " in *" call "*) printf '%s' "$device" ;; *) printf '%s' "${device:-/dev/ttyS0}" ;; esac
}

# check_words EXECUTABLE PPPD OPTIONS: says what is wrong with them.
check_words() {
  executable=$1 its_device=$(shift && on_device "$@")
  shift
  LD_LIBRARY_PATH=$state "$executable" service "$kind" ${its_device:+"$its_device"} "$@" >/dev/null
}

say "Installing $archive for $machine with $libc into $sbin"
[ -n "$dry" ] || began=1
make_folder "$sbin"
make_folder "$state"
if [ -z "$dry" ]; then
  if [ -f "$manifest" ]; then cp "$manifest" "$manifest.old"; else : >"$manifest.old"; fi
  cp "$here/install.sh" "$state/install.sh" || fail "cannot write $state"
fi
note_folders

if [ -n "$dry" ]; then
  say "would: unpack and verify $archive as $sbin/nullmodem"
  [ -z "$library" ] || say "would: unpack and verify $library as /usr/lib/libstdc++.so.6"
else
  # The library first, where only we look, to try the executable with it.
  if [ -n "$library" ]; then
    unpack "$library" "$library_size" "$library_sum" "$state/libstdc++.so.6"
    mv "$new" "$state/libstdc++.so.6"
  fi
  unpack "$archive" "$size" "$sum" "$sbin/nullmodem"
  try "$new" "$state"
  # Words that pppd would not take: better now than in a service that starts again and again.
  [ -z "$kind" ] || check_words "$new" "$@" || fail "nothing was installed"
  mv "$new" "$sbin/nullmodem"
  new=''
  note file "$sum" "$sbin/nullmodem"
  if [ -n "$library" ]; then
    mv "$state/libstdc++.so.6" /usr/lib/libstdc++.so.6
    note file "$library_sum" /usr/lib/libstdc++.so.6
    say "/usr/lib/libstdc++.so.6 is new, and only the part of it that nullmodem uses: apk add libstdc++ brings all."
  fi
fi
for applet in $APPLETS; do make_link nullmodem "$sbin/$applet"; done

# --- Manual pages and completions

# Where a file of the archive goes. fish looks into the folders of $XDG_DATA_DIRS only where that is set.
share_path() {
  case $1 in
    fish/vendor_completions.d/*)
      if [ -d /etc/fish ]; then printf '%s' "/etc/fish/completions/${1##*/}"; else printf '%s' "$prefix/share/$1"; fi
      ;;
    *) printf '%s' "$prefix/share/$1" ;;
  esac
}

# A file of somebody else stays.
share_file() { # PATH TARGET
  if [ -e "$2" ] && ! ours "$2"; then
    say "$2 is there already and stays as it is"
    return
  fi
  make_folder "$(dirname "$2")"
  cp "$1" "$2" || fail "cannot write $2"
  chmod 644 "$2"
  note_folders
  note file "$(sha256 "$2")" "$2"
}

install_share() {
  unpack "$shared" "$shared_size" "$shared_sum" "$state/share"
  mkdir "$state/share" || fail "cannot write $state"
  (cd "$state/share" && tar -xf "$new") || fail "$shared cannot be unpacked"
  names=$(tar -tf "$new")
  rm -f "$new"
  new=''
  for name in $names; do share_file "$state/share/$name" "$(share_path "$name")"; done
  rm -rf "$state/share"
  for name in poff plog; do make_link pon.1 "$prefix/share/man/man1/$name.1"; done
}

if [ -z "$shared" ]; then
  :
elif [ -n "$dry" ]; then
  say "would: unpack manual pages and completions into $prefix/share"
elif has tar; then
  rm -rf "$state/share"
  install_share
else
  say "There is no tar here: no manual pages and no completions."
fi

# --- In the distribution's place

others=''
for applet in $APPLETS; do
  for folder in /usr/sbin /usr/bin /sbin /bin; do
    path=$folder/$applet
    # /bin may be another name of /usr/bin.
    if [ -L $folder ] || [ $folder = "$sbin" ] || [ ! -e "$path" ]; then continue; fi
    [ "$(readlink "$path")" != "$sbin/nullmodem" ] || continue
    others="$others $path"
    [ -z "$replace" ] || make_link "$sbin/nullmodem" "$path"
  done
done
if [ -z "$replace" ] && [ -n "$others" ]; then
  say "The distribution's own stay what they are:$others. --replace puts nullmodem in their place."
fi

# --- /etc/ppp: what is missing, and nothing else

make_file() { # PATH MODE, the text on stdin
  if [ -e "$1" ] || [ -L "$1" ]; then return; fi
  [ -z "$dry" ] || { say "would: make $1 with mode $2" && return; }
  { (umask 077 && cat >"$1") && chmod "$2" "$1"; } || fail "cannot make $1"
  note file "$(sha256 "$1")" "$1"
}

make_folder /etc/ppp
if [ ! -d /etc/ppp/peers ]; then
  make_folder /etc/ppp/peers
  # Passwords may be in them: as Debian has it, where its group is.
  run chmod 750 /etc/ppp/peers
  ! grep -q '^dip:' /etc/group || { run chgrp dip /etc/ppp/peers && run chmod 2750 /etc/ppp/peers; }
fi
note_folders
make_file /etc/ppp/options 644 <<'EOF'
# Options of every pppd. Those of one line go into /etc/ppp/options.ttyS0 and its like.
lock
EOF
make_file /etc/ppp/pap-secrets 600 <<'EOF'
# Who may use which password, by PAP:  client  server  secret  addresses
EOF
make_file /etc/ppp/chap-secrets 600 <<'EOF'
# Who may use which password, by CHAP, MS-CHAP and EAP:  client  server  secret  addresses
EOF

# --- Started by itself

ask() { # QUESTION DEFAULT
  printf '%s [%s] ' "$1" "$2" >&2
  read -r answer || answer=''
  printf '%s\n' "${answer:-$2}"
}

found=''
for one in systemd openrc inittab cron; do
  # systemctl may be there without its being what runs the machine.
  if starts $one && { [ $one != systemd ] || [ -d /run/systemd/system ]; }; then found="$found $one"; fi
done

if [ -z "$kind$yes$dry" ] && [ -n "$found" ] && [ -t 0 ]; then
  kind=$(ask "Which is to start pppd by itself:$found, or none?" none)
  case " none $found " in
    *" $kind "*) ;;
    *)
      say "there is no $kind here: nothing is to start pppd by itself"
      kind=none
      ;;
  esac
  [ "$kind" != none ] || kind=''
  [ -z "$kind" ] || [ -n "$device" ] || device=$(ask "On which line?" /dev/ttyS0)
fi

# The part of an entry by which it is for the same line: the command as far as its device, or the peers file it calls.
same_line() { printf '%s\n' "$1 " | sed -n -e 's/^.*\/\(pppd call [^ ]*\) .*/\1/p' -e t -e 's/^.*\/\(pppd [^ ]*\) .*/\1/p'; }

# without_block FILE TEXT: the file, without the blocks of ours that have a line with that text.
without_block() {
  [ -n "$2" ] || { cat "$1" && return; }
  block='' in_block='' dropped=''
  while IFS= read -r line || [ -n "$line" ]; do
    [ "$line" != "$BEGIN" ] || { block='' in_block=1 dropped=''; }
    case $line in *"$2 "* | *"$2") [ -z "$in_block" ] || dropped=1 ;; esac
    if [ -z "$in_block" ]; then
      printf '%s\n' "$line"
      continue
    fi
    block="$block$line
"
    [ "$line" = "$END" ] || continue
    [ -n "$dropped" ] || printf '%s' "$block"
    in_block=''
  done <"$1"
}

start_by_itself() {
  device=$(on_device "$@")
  if [ -n "$dry" ]; then
    say "would: nullmodem service $kind${device:+ $device} $*"
    return
  fi
  new=$state/service.new
  "$sbin/nullmodem" service "$kind" ${device:+"$device"} "$@" >"$new" || fail "the service has no text: the install is taken back"
  path=$(sed -n 's/^# \(\/etc\/[^ ;]*\).*/\1/p' "$new" | head -n 1)
  name=$(basename "$path")
  case $path in
    /etc/inittab | /etc/crontabs/*)
      # Lines of somebody else's file.
      entry=$(tail -n 1 "$new")
      if [ -f "$path" ] && grep -qFx "$entry" "$path"; then
        say "$path has that line already"
        return
      fi
      [ ! -f "$path" ] || without_block "$path" "$(same_line "$entry")" >"$state/file.new"
      # Of two entries with one id init takes the first.
      id=${entry%%:*}
      if [ "$path" = /etc/inittab ] && [ -n "$id" ] && grep -q "^$id:" "$state/file.new"; then
        rm -f "$state/file.new"
        fail "$path has another entry with the id $id: the install is taken back. Give the other one another id"
      fi
      if [ -f "$path" ]; then cat "$state/file.new" >"$path" || fail "cannot write $path"; fi
      rm -f "$state/file.new"
      { say "$BEGIN" && cat "$new" && say "$END"; } >>"$path" || fail "cannot write $path"
      note block - "$path"
      ;;
    *)
      if [ -e "$path" ] && ! ours "$path"; then fail "$path is there already, and not as we made it: the install is taken back"; fi
      cat "$new" >"$path" || fail "cannot write $path"
      case $kind in openrc) chmod 755 "$path" ;; *) chmod 644 "$path" ;; esac
      note file "$(sha256 "$path")" "$path"
      ;;
  esac
  case $kind in
    systemd)
      systemctl --quiet enable "$name" || fail "systemctl would not enable $path: the install is taken back"
      note systemd - "$name"
      [ ! -d /run/systemd/system ] || systemctl daemon-reload
      say "$path starts pppd from the next boot on; now: systemctl start $name"
      ;;
    openrc)
      rc-update --quiet add "$name" default || fail "rc-update would not add $path: the install is taken back"
      note openrc - "$name"
      say "$path starts pppd from the next boot on; now: rc-service $name start"
      ;;
    inittab) say "$path starts pppd from the next boot on; now: $(sed -n 's/^# .*then: //p' "$new")" ;;
    cron) say "$path starts pppd from the next boot on" ;;
  esac
}
[ -z "$kind" ] || start_by_itself "$@"

# --- What is left to say

if [ ! -c /dev/net/tun ]; then
  say "/dev/net/tun is missing, and without it there is no network interface: modprobe tun"
fi
began=''
rm -f "$manifest.old"
[ -n "$dry" ] || say "Installed. To take it all back: sh $state/install.sh --uninstall"

#!/bin/sh
# Makes this machine ready to build, demo, test or bench: sh scripts/ready.sh [build|demo|test|bench]
#
# It needs only node and npm. When everything is there, it is quick and prints nothing. As root it installs missing Debian
# packages and says why. Otherwise it prints the command that would, and continues if they are not essential.

set -u
purpose=${1:-build}
cd "$(dirname "$0")/.." || exit 1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { echo "ready: $*" >&2; }
fail() { say "$@"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

case $purpose in
  build | demo | test | bench) ;;
  *) fail "what for? sh scripts/ready.sh [build|demo|test|bench]" ;;
esac
[ "$(uname -s)" = Linux ] || fail "nullmodem runs on Linux, this is $(uname -s)"

# --- node_modules: a copy of the lock file in it shows whether it is complete and current.

works() { [ -x "$1" ] && "$1" --version >/dev/null 2>&1; }

# npm 11 does not run install scripts by default. Bun's own script would put the binary for this machine into its place.
link_bun() {
  works node_modules/.bin/bun && return
  for bun in node_modules/@oven/bun-linux-*/bin/bun; do
    works "$bun" || continue
    mkdir -p node_modules/.bin
    ln -sf "../../$bun" node_modules/.bin/bun
    return
  done
  say "no bun in node_modules runs on this machine ($(uname -m)); Bun wants a 64-bit x86 with SSE4.2, or an arm64"
  # CPUINFO is for a test.
  flags=$(sed -n 's/^flags[[:space:]]*: *//p' "${CPUINFO:-/proc/cpuinfo}" | head -n 1)
  case " $flags " in
    "  " | *" sse4_2 "*) ;;
    *" hypervisor "*) fail "its processor has none: give the virtual machine another CPU type (host, x86-64-v2 or Nehalem)" ;;
    *) fail "its processor has none" ;;
  esac
  exit 1
}

# Prints the packages that are missing in node_modules or have another version, as NAME@VERSION.
# shellcheck disable=SC2016 # it is JavaScript
lacking() {
  node -e '
    const { readFileSync } = require("fs");
    const read = (file) => JSON.parse(readFileSync(file, "utf8"));
    const { packages } = read("package-lock.json");
    for (const name of Object.keys({ ...packages[""].dependencies, ...packages[""].devDependencies })) {
      const { version } = packages[`node_modules/${name}`];
      let installed;
      try { installed = read(`node_modules/${name}/package.json`).version; } catch {}
      if (installed !== version) console.log(`${name}@${version}`);
    }' | tr '\n' ' '
}

# True when the registry answers npm, even with a refusal. Without a network npm ci would try for minutes.
registry_answers() {
  case $(timeout 8 npm ping --fetch-retries=0 2>&1 || echo "status $?") in
    *"code E"[0-9]*) ;;
    *"status "*) return 1 ;;
  esac
}

if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
  { has node && has npm; } || fail "node and npm are missing (Debian: apt-get install nodejs npm)"
  say "npm ci, because node_modules is $([ -d node_modules ] && echo 'not what package-lock.json says' || echo 'not there yet')"
  if registry_answers; then
    npm ci --no-audit --no-fund --loglevel=error >&2 || fail "npm ci failed; what it says above is why"
  else
    missing=$(lacking)
    say "$(npm config get registry) does not answer: only npm's own cache is used"
    npm ci --offline --no-audit --no-fund --loglevel=silent >&2 || {
      say "missing, and not in npm's cache: $missing"
      fail "run npm ci where there is a network, or copy node_modules from a machine of this kind"
    }
  fi
  cp package-lock.json node_modules/.installed-lock.json
fi
# node_modules may have come from another machine.
link_bun

# --- Debian packages: `need COMMAND PACKAGE` notes what is missing.

commands=
packages=
need() {
  has "$1" && return
  commands="$commands $1"
  case " $packages " in *" $2 "*) ;; *) packages="$packages $2" ;; esac
}

case $purpose in
  demo | test | bench)
    need unshare util-linux
    need nsenter util-linux
    need mount mount
    need hostname hostname
    ;;
esac
essential=$commands
case $purpose in
  demo) need ip iproute2 ;;
  test)
    need pppd ppp
    need chat ppp
    need pppdump ppp
    need wvdial wvdial
    need agetty util-linux
    need login login
    need mgetty mgetty
    need telnet inetutils-telnet
    need socat socat
    need kermit ckermit
    need runscript minicom
    need cu cu
    need slirp-fullbolt slirp
    need ser2net ser2net
    need ip iproute2
    need ping iputils-ping
    need iperf3 iperf3
    need nft nftables
    need iptables-legacy iptables
    need ufw ufw
    # Where systemd runs, the package would start its firewall.
    [ -d /run/systemd/system ] || need firewall-cmd firewalld
    need dbus-daemon dbus-daemon
    need perl perl
    need tshark tshark
    need tmux tmux
    need busybox busybox-static
    need chromium chromium
    need curl curl
    need wget wget
    need cadaver cadaver
    need litmus litmus
    need rclone rclone
    need smbclient smbclient
    need nmblookup samba-common-bin
    need lynx lynx
    need w3m w3m
    need links2 links2
    need unzip unzip
    need ssh openssh-client
    need openssl openssl
    need setpriv util-linux
    need setcap libcap2-bin
    need sysctl procps
    need linux.uml user-mode-linux
    need gcc gcc
    need qemu-x86_64-static qemu-user-static
    if [ "$(uname -m)" = x86_64 ]; then
      need qemu-system-x86_64 qemu-system-x86
      need xz xz-utils
    fi
    need shellcheck shellcheck
    need objdump binutils
    need groff groff-base
    need mandoc mandoc
    need man man-db
    need zsh zsh
    need fish fish
    # The package is for amd64 where it is tested.
    if [ "$(uname -m)" = x86_64 ]; then
      need lintian lintian
      need mmdebstrap mmdebstrap
    fi
    ;;
  bench)
    need gcc gcc
    need ip iproute2
    need ping iputils-ping
    need iperf3 iperf3
    need nft nftables
    need slirp-fullbolt slirp
    need slirp4netns slirp4netns
    need pasta passt
    ;;
esac
# The loader that musl's executables ask for.
if [ "$purpose" = test ] && [ "$(uname -m)" = x86_64 ] && [ ! -e /lib/ld-musl-x86_64.so.1 ]; then
  commands="$commands ld-musl-x86_64.so.1"
  packages="$packages musl"
fi
# A library is no command. The linker's list shows whether it is there.
if [ "$purpose" = test ] && has ldconfig && ! ldconfig -p | grep -q 'libfreerdp2\.so\.2'; then
  commands="$commands libfreerdp2.so.2"
  packages="$packages libfreerdp2-2"
fi
# The simulated ModemManager is a script of Debian's own Python.
if [ "$purpose" = test ] && ! /usr/bin/python3 -c 'import dbus, gi' 2>/dev/null; then
  commands="$commands (Python's dbus and gi)"
  packages="$packages python3-dbus python3-gi"
fi
case $purpose in test | bench) has gcc && [ ! -e /usr/include/stdlib.h ] && headers=yes ;; esac
if [ "${headers:-}" = yes ]; then
  commands="$commands (C headers)"
  packages="$packages libc6-dev"
fi

if [ -n "$packages" ]; then
  if [ "$(id -u)" = 0 ] && has apt-get; then
    say "npm run $purpose uses$commands: installing the Debian packages$packages"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    # Without a network, apt-get gives up after some seconds.
    apt="apt-get -q -o Acquire::Retries=1 -o Acquire::http::Timeout=8 -o Acquire::https::Timeout=8"
    # shellcheck disable=SC2086 # one word a package
    if { $apt update && $apt -y --no-install-recommends install $packages; } >"$log" 2>&1; then
      commands=
      essential=
    else
      tail -n 5 "$log" >&2
      say "apt-get could not install them"
    fi
    rm -f "$log"
  else
    say "missing:$commands"
    say "as root: apt-get update && apt-get install --no-install-recommends$packages"
  fi
  [ -z "$essential" ] || fail "npm run $purpose cannot do without$essential"
  [ -z "$commands" ] || case $purpose in
    demo) say "going on: the act that uses them is left out and says so" ;;
    test) say "going on: the tests that use them are skipped and say so" ;;
    bench) say "going on: only what needs none of them is measured" ;;
  esac
fi

# --- The other version of the real pppd, and the kernel of the lab's PC, for the lab.

# What is fetched comes from the mirror in apt's lists of packages. A fresh Debian has none.
package_lists() {
  [ "$(id -u)" = 0 ] && has apt-get || return 0
  ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || apt-get -qq update >/dev/null 2>&1 || :
}

if [ "$purpose" = test ] && [ "$(uname -m)" = x86_64 ]; then
  trixie=${XDG_CACHE_HOME:-$HOME/.cache}/nullmodem-ppp-2.5.2
  if [ ! -d "$trixie" ]; then
    say "fetching pppd 2.5.2 from Debian trixie into $trixie (11 MB; nothing is installed)"
    package_lists
    sh scripts/trixie.sh "$trixie" || say "going on without pppd 2.5.2: its tests are skipped and say so"
  fi
  kernel=${XDG_CACHE_HOME:-$HOME/.cache}/nullmodem-pc-kernel
  if [ ! -d "$kernel" ]; then
    say "fetching Debian's kernel for the lab's PC into $kernel (70 MB; nothing is installed)"
    package_lists
    sh scripts/pc-kernel.sh "$kernel" || say "going on without the lab's PC: its tests are skipped and say so"
  fi
fi

# --- The servers of the tests' Internet, and the programs that start pppd.

if [ "$purpose" = test ]; then
  servers=${XDG_CACHE_HOME:-$HOME/.cache}/nullmodem-servers
  starters=${XDG_CACHE_HOME:-$HOME/.cache}/nullmodem-starters
  if [ ! -d "$starters" ]; then
    say "fetching NetworkManager, pppoe, pppconfig and ifupdown into $starters (11 MB; nothing is installed)"
    package_lists
    sh scripts/starters.sh "$starters" || say "going on without them: the tests that use them are skipped and say so"
  fi
  if [ ! -d "$servers" ]; then
    say "fetching nginx, dnsmasq, sshd, vsftpd, Samba, dig and traceroute into $servers (17 MB; nothing is installed)"
    package_lists
    sh scripts/servers.sh "$servers" || say "going on without them: the tests that use them are skipped and say so"
  fi
fi

# --- The small Debians in which the package is installed.

if [ "$purpose" = test ] && [ "$(uname -m)" = x86_64 ] && [ "$(id -u)" = 0 ]; then
  roots=${XDG_CACHE_HOME:-$HOME/.cache}/nullmodem-debian-roots
  if [ ! -d "$roots" ]; then
    say "making minimal systems of Debian bookworm and trixie in $roots (about 100 MB are fetched; nothing is installed)"
    package_lists
    sh scripts/debian-roots.sh "$roots" || say "going on without them: the tests that use them are skipped and say so"
  fi
fi

# --- The TUN device, from which every PPP interface is made.

if [ "$purpose" != build ] && [ ! -c /dev/net/tun ]; then
  if [ "$(id -u)" = 0 ] && has modprobe; then modprobe tun 2>/dev/null; fi
  if [ ! -c /dev/net/tun ]; then
    say "/dev/net/tun is missing: no network interface can be made"
    say "as root: modprobe tun; and where that does not make it: mkdir -p /dev/net && mknod /dev/net/tun c 10 200"
    say "in a container: start it with --device /dev/net/tun --cap-add NET_ADMIN"
    case $purpose in
      demo) fail "npm run demo cannot do without it" ;;
      test) say "going on: the tests that use it are skipped and say so" ;;
      bench) say "going on: only what needs no interface is measured" ;;
    esac
  fi
fi
exit 0

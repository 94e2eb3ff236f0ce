#!/bin/sh
# Fetches the servers that lie "outside" in tests of the way to the Internet: sh scripts/servers.sh FOLDER
#
# FOLDER gets the files of Debian's nginx, dnsmasq, sshd, vsftpd, Samba, dig and traceroute, and of the libraries that
# this machine lacks. Nothing is installed.

[ $# = 1 ] || { echo "usage: sh scripts/servers.sh FOLDER" >&2; exit 1; }
exec sh "$(dirname "$0")/fetch-packages.sh" "$1" nginx dnsmasq-base openssh-server openssh-sftp-server vsftpd samba smbclient \
  bind9-dnsutils traceroute

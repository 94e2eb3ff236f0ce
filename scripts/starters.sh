#!/bin/sh
# Fetches programs that start pppd, for tests: sh scripts/starters.sh FOLDER
#
# FOLDER gets the files of Debian's NetworkManager, pppoe, pppconfig and ifupdown, and of the libraries that this machine
# lacks. Nothing is installed: NetworkManager would take over the network of this machine.

[ $# = 1 ] || { echo "usage: sh scripts/starters.sh FOLDER" >&2; exit 1; }
exec sh "$(dirname "$0")/fetch-packages.sh" "$1" network-manager pppoe pppconfig ifupdown

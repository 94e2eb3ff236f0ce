#!/bin/sh
# The first process of the lab's guest. The kernel's command line says `share`: a folder of the host that is /lab/host here.
# Asked on ttyS62, answers on the same; what the main command says goes to ttyS63. A process costs 5 ms, hence so few.

folder=$share
# The kernel hands on what it does not know.
unset share mem uml_dir
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
umask 022
printf '%s\n' 'proc /proc proc' 'sys /sys sysfs' 'dev /dev devtmpfs' "host /lab/host hostfs $folder,sync" >/lab/fstab
mount -a -T /lab/fstab
mkdir /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
cpio -idu </lab/host/overlay.cpio 2>/dev/null
cat /etc/hostname >/proc/sys/kernel/hostname
ip link set lo up
# Too broken to go on: the host sees the end and boots another one.
modprobe -a $(cat /lab/modules) || poweroff -f
[ -c /dev/ppp ] || mknod /dev/ppp c 108 0
# Held open: what arrives at a port that nobody has open is not seen before the next thing arrives.
exec 3<>/dev/ttyS62
# A whole line at a time: in the middle of one, the end of a child makes busybox begin to read anew.
stty raw -echo icanon <&3

# Opened for reading and writing, a FIFO never ends.
mkfifo /lab/never /lab/said /lab/syslog
exec 4<>/lab/syslog 5<>/lab/said
syslogd -O /lab/syslog
tee -a /var/log/messages </lab/syslog >/dev/console &
cat </lab/said >/dev/ttyS63 &
setsid sh /lab/runner <&3 >&3 3<&- 4<&- 5<&- &
read -r uptime idle </proc/uptime
printf '\002ready %s\n' "$uptime" >&3
# The first process waits, and so takes care of orphans: for a shell, as a test may kill any other program by its name.
(read -r never <>/lab/never)

#!/bin/sh
# What busybox init starts first in the lab's PC. ttyS1 is the console and carries the log. The port on the PCI card carries
# the conversation with the host: questions and answers, and the output of the main command.

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs run /run
mkdir -p /run/lock
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
# In the order in which they need each other.
for module in $(cat /lab/modules); do insmod "/lab/$module.ko"; done
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 host /lab/host
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,ro dist /lab/dist
cpio -idu </lab/host/overlay.cpio 2>/dev/null
hostname -F /etc/hostname
ip link set lo up
cp -d /lab/dist/* /usr/sbin/
# Opened for reading and writing, a FIFO never ends. awk writes whole lines, so that no answer comes in the middle of one.
mkfifo /lab/said /lab/syslog
exec 4<>/lab/syslog 5<>/lab/said
lines='{ print; fflush() }'
setsid syslogd -O /lab/syslog
setsid sh -c "tee -a /var/log/messages </lab/syslog | awk '$lines' >/dev/console" 4<&- 5<&- &
# The number of the card's port is the kernel's choice. A child opens it: it would be the terminal of this session, and be
# hung up with its leader, which ends here.
control=/dev/$(ls /sys/bus/pci/drivers/serial/*/tty | tail -n 1)
(
  exec 3<>"$control"
  # A whole line at a time: in the middle of one, the end of a child makes busybox begin to read anew.
  stty raw -echo icanon <&3
  setsid awk "$lines" </lab/said >&3 3<&- 4<&- 5<&- &
  setsid sh /lab/runner <&3 >&3 3<&- 4<&- 5<&- &
  read -r uptime idle </proc/uptime
  printf '\002ready %s\n' "$uptime" >&3
)

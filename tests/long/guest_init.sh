#!/bin/sh
# The first process of a guest: mounts the root of the machine outside read-only, a layer in memory on top of it, and
# runs the command it was booted with. The console carries what it says; the last line is GUEST-RC=code.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read module; do insmod "/lib/$module" 2>/dev/null; done </lib/list
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,ro,cache=loose host /host
mount -t tmpfs -o size=90% tmpfs /rw
mkdir /rw/upper /rw/work
lower=/host
mkdir /program  # where there is such a disk, it lies over the root (tests.long.guest_image)
mount -t ext4 -o ro /dev/vda /program 2>/dev/null && lower=/program:/host
mount -t overlay overlay -o lowerdir=$lower,upperdir=/rw/upper,workdir=/rw/work /new
mount --move /proc /new/proc
mount --move /sys /new/sys
mount --move /dev /new/dev
mount -t tmpfs tmpfs /new/run
mkdir -p /new/dev/shm /new/dev/pts /new/run/lock /new/mnt
mount -t tmpfs tmpfs /new/mnt  # temporary files: the agent protects nothing below /run
mount -t tmpfs shm /new/dev/shm
mount -t devpts pts /new/dev/pts
mount -t cgroup2 none /new/sys/fs/cgroup
exec switch_root /new /bin/bash -c '
export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LANG=C.UTF-8 TMPDIR=/mnt
told() { sed -n "s/.*$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
modules=/lib/modules/$(uname -r)  # so that modprobe(8) finds them
mkdir -p "$modules" && mount --bind "$(told guestmodules)" "$modules"
ip link set lo up
chmod 1777 /mnt
echo GUEST-BEGINS
eval "$(told guestcmd | base64 -d)"
echo GUEST-RC=$?
sync
echo o >/proc/sysrq-trigger
sleep 5'

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
mount -t overlay overlay -o lowerdir=/host,upperdir=/rw/upper,workdir=/rw/work /new
mount --move /proc /new/proc
mount --move /sys /new/sys
mount --move /dev /new/dev
mount -t tmpfs tmpfs /new/run
mkdir -p /new/dev/shm /new/dev/pts /new/run/lock /new/mnt
mount -t tmpfs tmpfs /new/mnt  # temporary files: the agent protects nothing below /run
mount -t tmpfs shm /new/dev/shm
mount -t devpts pts /new/dev/pts
exec switch_root /new /bin/bash -c '
export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LANG=C.UTF-8 TMPDIR=/mnt
ip link set lo up
chmod 1777 /mnt
echo GUEST-BEGINS
eval "$(sed "s/.*guestcmd=//" /proc/cmdline | base64 -d)"
echo GUEST-RC=$?
sync
echo o >/proc/sysrq-trigger
sleep 5'

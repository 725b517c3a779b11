#!/bin/sh
# The way into a clean root: mounts what a system has mounted, makes the folder its `/`, and becomes a command.
#
#   unshare --mount --propagation private sh clean_root.sh FOLDER COMMAND [SHARED…]
#
# pivot_root(2), not chroot(2): whose root is not the root of its mount namespace may not make a user namespace, and here
# everything works that works on a machine. Of processes it sees all: the agent refuses to be in a container. The mounts
# go with the last process of the namespace, whose name is left in FOLDER.namespace. SHARED are folders of this machine
# that are there, too, and read-only.
set -eu
folder=$1 command=$2
shift 2
readlink /proc/self/ns/mnt >"$folder.namespace"
mount --bind "$folder" "$folder"
cd "$folder"
mount -t proc proc proc
mount -t sysfs sys sys
mount -t cgroup2 none sys/fs/cgroup
mount --bind /dev dev # not what is mounted below it: that stays with this machine
mount -t devpts devpts dev/pts
mount -t tmpfs shm dev/shm
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=755 run run
mkdir run/lock
mount --bind /run/lock run/lock # uids that tests take are nobody else's on this machine
for shared in "$@"; do
    mkdir -p ".$shared"
    mount --bind "$shared" ".$shared"
    mount -o remount,bind,ro ".$shared"
done
mkdir -p .outside
pivot_root . .outside
cd /
umount --lazy /.outside
rmdir /.outside
cd /srv/shoumi
exec /bin/sh -c "$command"

# SPDX-License-Identifier: BSD-3-Clause
# What a cookie takes of the kernel's memory is little, and counts against who asked for it.

. /src/lab/tests/lib.sh
plan 6

cgroups=/tmp/cgroup
mkdir -p $cgroups
mount -t cgroup2 none $cgroups
echo +memory >$cgroups/cgroup.subtree_control
mkdir $cgroups/cost
(
	echo $BASHPID >$cgroups/cost/cgroup.procs
	COST_CGROUP=$cgroups/cost exec vfio-cost --memory "$(bdf ivshmem)" 2
) >/results/cost-memory
is "exit status" $? 0
rmdir $cgroups/cost
umount $cgroups

cat /results/cost-memory
number() { sed -n "s/^\([0-9]*\) $1\$/\1/p" /results/cost-memory; }
within() { # NAME NUMBER LEAST MOST
	if [ -n "$2" ] && (($2 >= $3 && $2 <= $4)); then ok "$1"; else not_ok "$1" "'$2' bytes"; fi
}
# struct vfio_region_entry and its owner. Nodes of the trees are not accounted where the kernel had
# one at hand.
within "a cookie is accounted" "$(number 'bytes accounted for a cookie')" 64 160
within "a cookie takes less than 200 bytes" "$(number 'bytes of slabs for a cookie')" 64 200
mapping=$(number 'bytes accounted for a mapping')
further=$(number 'bytes accounted for a further mapping')
# struct vfio_pci_slice; what x86 notes of the reservation is not accounted
within "what a mapping holds is accounted" $((mapping - further)) 64 256
within "a mapping takes less than 1 KB" "$(number 'bytes of slabs for a mapping')" 64 1024
within "an open file takes less than 4 KB" "$(number 'bytes of slabs for an open file')" 64 4096

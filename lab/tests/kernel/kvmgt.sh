# SPDX-License-Identifier: BSD-3-Clause
# kernel: 6.1 6.12 7.x-modules
# long: 6.1
# A module that the distribution built against its own vfio loads on top of the patched ones.

. /src/lab/tests/lib.sh
plan 6

# It would not if the versions of the symbols that it takes from them were others; Debian's 7.3 has
# no versions.
is "kvmgt loads" "$(modprobe kvmgt 2>&1; echo "status $?")" "status 0"
for module in vfio mdev; do
	is "it uses $module" "$(cd /sys/module/$module/holders && echo kvmgt*)" kvmgt
done
is "the vfio below it is the patched one" "$(grep -c ' vfio_df_add_region\b' /proc/kallsyms)" 1

structures() { # MODULE
	pahole --btf_base /sys/kernel/btf/vmlinux -C vfio_device,vfio_device_ops \
		"/sys/kernel/btf/$1" 2>/dev/null
}
matches "the structures that vfio was built with" "$(structures vfio)" \
	'\(\*mmap\)\(struct vfio_device '
is "those that kvmgt was built with" "$(structures kvmgt)" "$(structures vfio)"
modprobe -r kvmgt

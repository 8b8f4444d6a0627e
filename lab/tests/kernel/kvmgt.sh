# SPDX-License-Identifier: BSD-3-Clause
# kernel: 6.1 6.12
# long: 6.1
# A module that the distribution built against its own vfio loads on top of the patched ones.

. /src/lab/tests/lib.sh
plan 4

# It would not if the versions of the symbols that it takes from them were others.
is "kvmgt loads" "$(modprobe kvmgt 2>&1; echo "status $?")" "status 0"
for module in vfio mdev; do
	is "it uses $module" "$(cd /sys/module/$module/holders && echo kvmgt*)" kvmgt
done
is "the vfio below it is the patched one" "$(grep -c ' vfio_df_add_region\b' /proc/kallsyms)" 1
modprobe -r kvmgt

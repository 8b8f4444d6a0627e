# SPDX-License-Identifier: BSD-3-Clause
# Sourced by lab/run: disk images of installed systems, for tests that install, update and reboot.
# Such a system is what an installation is: systemd, apt, initramfs, a kernel with its headers,
# DKMS. See system.hook.
#
# shellcheck shell=bash
# shellcheck disable=SC2154 # cache, repo: lab/run's

make_system() { # suite series directory
	local suite=$1 series=$2 out=$3 log=$cache/log/system-$1.log uri security
	uri=$(mirror)
	# Where kernels are updated between point releases
	# shellcheck disable=SC2016 # apt's variable
	security=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null |
		grep -E '^https?:.*-security/?$' | head -n 1 || true)
	mkdir -p "$out" "$cache/log"
	say "making the disk image of a $suite system (about 4 minutes; log: $log)"
	progress "$suite system" "$out" mmdebstrap --mode=root --format=directory \
		--aptopt='Acquire::Languages "none"' \
		--include=systemd-sysv,initramfs-tools,e2fsprogs,zstd,pciutils,python3,mokutil \
		--customize-hook="'$repo/lab/host/system.hook' \"\$1\" $series" \
		"$suite" "$out/root" ${uri:+"deb $uri $suite main"} \
		${security:+"deb $security $suite-security main"} \
		>"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		die "mmdebstrap failed for the system of $suite; the whole log is $log"
	}
	# What a boot loader would find
	mkdir "$out/boot"
	cp "$out"/root/boot/{vmlinuz,initrd.img}-* "$out/boot/"
	mke2fs -q -t ext4 -d "$out/root" "$out/disk" 8G >>"$log" 2>&1 ||
		die "mke2fs failed; the whole log is $log"
	rm -rf --one-file-system "$out/root"
}

# system SUITE: prints the directory with the image, disk, and boot/; makes it first where needed
system() {
	local suite=$1 series key dir
	series=6.12 # bookworm's security updates have that kernel, too
	[ "$suite" != bookworm ] || [ ! -d "$repo/kernel-patch/linux-6.1" ] || series=6.1
	key=$({
		echo "$series"
		declare -f make_system
		cat "$repo/lab/host/system.hook" "$repo/lab/guest/modules-sum"
	} | sha256sum | cut -c1-12)
	dir=$cache/system/$suite-$key
	if [ ! -d "$dir" ]; then
		mkdir -p "$cache/system"
		exec {lock}>"$cache/system/.lock-$suite"
		flock -n $lock || { say "waiting for another lab/run to make $suite"; flock $lock; }
		if [ ! -d "$dir" ]; then
			host_packages
			rm -rf --one-file-system "$cache/system/tmp-$suite"
			make_system "$suite" "$series" "$cache/system/tmp-$suite"
			mv "$cache/system/tmp-$suite" "$dir"
			find "$cache/system" -maxdepth 1 -name "$suite-*" ! -path "$dir" -mtime +7 \
				-exec rm -rf {} +
		fi
		exec {lock}>&-
	fi
	echo "$dir"
}

# systems_wanted ARGS...: the suites whose systems a "lab/run test ARGS..." needs. Too long for a
# run that does not ask for it.
systems_wanted() {
	local keyword='' long='' suite
	while [ $# -gt 0 ]; do
		case $1 in
		--long) long=1 ;;
		-k) keyword=${2-} ;;
		esac
		shift
	done
	[ -n "$long" ] || return 0
	for suite in trixie bookworm; do
		[[ $keyword == *$suite* || ! $keyword =~ trixie|bookworm ]] || continue
		if [ -z "$keyword" ] || [[ $keyword =~ installer|packages ]]; then
			echo $suite
		fi
	done
}

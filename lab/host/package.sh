# SPDX-License-Identifier: BSD-3-Clause
# Sourced by lab/run: root file systems in which packages are built, package_SUITE. In their
# /srv/base is what a fresh system is, to install them on; in /srv/debs, an archive, what they need
# there: whoever builds and tries them has no network.
#
# shellcheck shell=bash
# shellcheck disable=SC2154 # cache, repo: lab/run's
# shellcheck disable=SC2034 # packages_installed_SUITE are read by their names

# What builds and judges them.
packages_package='build-essential debhelper dh-dkms dh-python meson pkgconf libdpdk-dev
	libnuma-dev libjansson-dev libcmocka-dev python3-sphinx lintian piuparts autopkgtest
	apt-utils xz-utils git rpm rpmlint'
# What they need where they are installed, and their tests there; of either suite, its kernel too.
packages_installed='dpdk dpdk-dev dkms git xz-utils python3-jsonschema python3-jinja2
	python3-junitparser python3-prometheus-client libjansson4 libnuma1 bash-completion
	linux-headers-amd64
	apt-utils dpkg-dev gcc libc6-dev pkgconf libdpdk-dev'
packages_installed_trixie='linux-source-6.12'
packages_installed_bookworm='linux-source-6.1'

make_package() { # layer directory
	local suite=${1#package_} out=$2 log=$cache/log/rootfs-$1.log uri installed
	local kernel=packages_installed_$suite
	uri=$(mirror)
	installed=$(tr -s ' \t\n' ' ' <<<"$packages_installed ${!kernel}")
	mkdir -p "$cache/log"
	say "making a root file system for packages of $suite (about 4 minutes; log: $log)"
	# shellcheck disable=SC2016 # $1: in the hooks' shell
	progress "packages' $suite root file system" "$out" mmdebstrap --mode=root --variant=apt \
		--format=directory --aptopt='Acquire::Languages "none"' \
		--include="$(tr -s ' \t\n' ',' <<<"$packages_package")" \
		--customize-hook="'$repo/lab/host/package.hook' \"\$1\" $suite '$uri' $installed" \
		"$suite" "$out" ${uri:+"deb $uri $suite main"} >"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		die "mmdebstrap failed for $1; the whole log is $log"
	}
	mkdir -p "$out"/{src,cache,lab,results}
}

# SPDX-License-Identifier: BSD-3-Clause
# Sourced by lab/run: the verb release.
#
# shellcheck shell=bash
# shellcheck disable=SC2154 # repo: lab/run's

# What CHANGELOG.md says of a version, without its heading.
changes() { # VERSION
	awk -v heading="## [$1] - " '
	/^## / { on = index($0, heading) == 1; next }
	on' "$repo/CHANGELOG.md"
}

# release DIR LEVEL: tests, tarball, packages and notes of what is committed, into DIR.
release() {
	local out=$1 level=$2 version tag packaged name commit closing
	version=$(<"$repo/kernel-patch/version")
	tag=v$version name=dpdk-vfio-wc-$version
	[ -z "$(git -C "$repo" status --porcelain)" ] ||
		die "release: of what is committed; git status has more"
	grep -qE "^## \[${version//./\\.}\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$" "$repo/CHANGELOG.md" ||
		die "release: CHANGELOG.md has no version $version with a date"
	packaged=$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' "$repo/packaging/debian/changelog")
	[ "$packaged" = "$version" ] ||
		die "release: packaging/debian/changelog is of $packaged, not of $version"
	! git -C "$repo" rev-parse -q --verify "refs/tags/$tag" >/dev/null ||
		die "release: there is a tag $tag; the next version goes into kernel-patch/version"
	[ -z "$(ls -A "$out")" ] || die "release: $out is not empty"
	commit=$(git -C "$repo" rev-parse HEAD)

	say "release $version: the tests (--$level)"
	local log=$out/tests.log option=()
	[ "$level" = test ] || option=("--$level")
	"$repo/lab/run" test "${option[@]}" 2>&1 | tee "$log" ||
		die "release: a test failed; $log"
	closing=$(grep -E "^[0-9]+ passed, 0 failed" "$log" | tail -n 1) || true
	[ -n "$closing" ] || die "release: the tests have no closing line; $log"

	say "release $version: packages"
	mkdir "$out/packages"
	"$repo/lab/run" package --try --out "$out/packages" >"$out/packages.log" 2>&1 ||
		die "release: the packages are not as they should be; $out/packages.log"

	say "release $version: tarball and notes"
	git -C "$repo" archive --prefix="$name/" HEAD | xz -T1 >"$out/$name.tar.xz"
	{
		echo "# dpdk-vfio-wc $version"
		changes "$version"
		printf '\nCommit %s. Tested by "lab/run test%s": %s.\n' "$commit" \
			"${option[*]:+ ${option[*]}}" "$closing"
	} >"$out/NOTES.md"
	(
		cd "$out" || exit
		mapfile -t files < <(find . -type f ! -name '*.log' -printf '%P\n' | sort)
		sha256sum "${files[@]}" >SHA256SUMS
	)
	cat <<-END
	$out has the release. To publish it:
	  git tag -a -F $out/NOTES.md $tag $commit && git push origin $tag
	END
}

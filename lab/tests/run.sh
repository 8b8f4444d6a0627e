# SPDX-License-Identifier: BSD-3-Clause
# For the tests of vfio-wc-run.
#
# shellcheck disable=SC2034 # launcher: lab/tests/lib.sh uses it

. /src/lab/tests/ena.sh

# Start what follows under the launcher, with these options.
under() { launcher=(vfio-wc-run "$@" --); }

# What the launcher's library said in testpmd's log, where another thread may have left a line open.
run_lines() { grep -o 'vfio-wc-run: .*' $testpmd_log; }

# SPDX-License-Identifier: BSD-3-Clause
"""Each patch of the series for DPDK: it builds, and DPDK's checkpatches.sh is content with it."""

import glob
import os

import build
from test_dpdk_patch import said

STAGE = 'long'


def test_each_patch():
    source = build.dpdk_source('22.11')
    work = '%s/check-dpdk-%s' % (build.CACHE, build.digest([source]))
    os.makedirs(work, exist_ok=True)
    build.run(build.in_suite(build.DPDK_SUITE, [
        'sh', '-c', 'mkdir -p %s/kernel && tar -C %s/kernel --strip-components=1 -xf %s '
        '--wildcards "*/scripts/checkpatch.pl" "*/scripts/*.txt" "*/scripts/*.checkpatch"' %
        (work, work, build.kernel('6.1').source)]), 'unpacking checkpatch.pl')
    patches = glob.glob('/src/dpdk-patch/dpdk-22.11/0*.patch')[1:]
    results = said(['/src/dpdk-patch/check', '--source', source, '--work', work,
                    '--checkpatch', work + '/kernel/scripts/checkpatch.pl'])
    assert len(results) == 1 + 2 * len(patches)

# SPDX-License-Identifier: BSD-3-Clause
"""DPDK's own fast tests say of EAL and the PCI bus with the series what they say of the
distribution's. These are those that need no huge pages."""

import os
import re
import subprocess
import tarfile

import build

STAGE = 'long'
RELEASE = '22.11'
DRIVERS = ['mempool_ring', 'mempool_stack', 'net_ring', 'net_null', 'event_sw', 'event_skeleton',
           'crypto_null', 'raw_skeleton']
FOLDER = '/usr/lib/x86_64-linux-gnu/dpdk/pmds-*/librte_%s.so'
SKIPPED = 77


def names():
    """Those that DPDK's own list has as fit for --no-huge."""
    with tarfile.open(build.suite_root(build.DPDK_SUITE) + build.dpdk_source(RELEASE)) as archive:
        member = next(m for m in archive if m.name.endswith('/app/test/meson.build'))
        text = archive.extractfile(member).read().decode()
    return re.findall(r"\['(\w+)', true, (?:true|false)\]", text)


def statuses(libraries):
    """{name: exit status} of all of them, with these libraries before the distribution's."""
    command = 'exec dpdk-test --no-huge -m 2048 --file-prefix=fast %s' % ' '.join(
        '-d $(echo %s)' % FOLDER % name for name in DRIVERS)
    found = {}
    for name in names():
        done = subprocess.run(build.in_suite(build.DPDK_SUITE, ['sh', '-c', command]),
                              env={**os.environ, 'DPDK_TEST': name, 'LD_LIBRARY_PATH': libraries},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        found[name] = done.returncode
    return found


def test_as_before():
    before = statuses('')
    assert list(before.values()).count(0) >= 60, before
    assert set(before.values()) <= {0, SKIPPED}, before
    assert statuses(build.dpdk(RELEASE)) == before

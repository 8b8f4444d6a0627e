# SPDX-License-Identifier: BSD-3-Clause
"""DPDK's own fast tests say of EAL and the PCI bus with the series what they say of the
distribution's; those that want huge pages, where the machine has some to spare."""

import functools
import os
import re
import subprocess
import tarfile

import pytest

import build

STAGE = 'long'
RELEASE = '22.11'
DRIVERS = ['mempool_ring', 'mempool_stack', 'net_ring', 'net_null', 'event_sw', 'event_skeleton',
           'crypto_null', 'raw_skeleton']
FOLDER = '/usr/lib/x86_64-linux-gnu/dpdk/pmds-*/librte_%s.so'
PAGES = 1024 # of 2 MB


def names(no_huge):
    """Of DPDK's own list those that are fit for --no-huge, or the others."""
    with tarfile.open(build.suite_root(build.DPDK_SUITE) + build.dpdk_source(RELEASE)) as archive:
        member = next(m for m in archive if m.name.endswith('/app/test/meson.build'))
        text = archive.extractfile(member).read().decode()
    return re.findall(r"\['(\w+)', %s, (?:true|false)\]" % str(no_huge).lower(), text)


def statuses(libraries, no_huge):
    """{name: exit status} of all of them, with these libraries before the distribution's."""
    # Two may run at once: mutants, which are played in two lanes
    command = 'exec dpdk-test %s --file-prefix=fast%d %s' % (
        '--no-huge -m 2048' if no_huge else '', os.getpid(),
        ' '.join('-d $(echo %s)' % FOLDER % name for name in DRIVERS))
    found = {}
    for name in names(no_huge):
        done = subprocess.run(build.in_suite(build.DPDK_SUITE, ['sh', '-c', command]),
                              env={**os.environ, 'DPDK_TEST': name, 'LD_LIBRARY_PATH': libraries},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        found[name] = done.returncode
    return found


@functools.lru_cache(maxsize=None)
def distributions(no_huge):
    return statuses('', no_huge)


def worse(no_huge):
    """{name: statuses before and after} of those that say something else now. One that fails with
    the distribution's, which some do each time or at times, may pass."""
    before, after = distributions(no_huge), statuses(build.dpdk(RELEASE), no_huge)
    return {name: (before[name], after[name]) for name in before
            if after[name] not in (before[name], 0)}


def test_distributions():
    """There is something to compare with."""
    assert list(distributions(True).values()).count(0) >= 60


def test_as_before():
    assert worse(True) == {}


@pytest.fixture(name='huge')
def huge_pages():
    """They are the machine's, which a test does not take without being given them."""
    with open('/proc/meminfo', encoding='ascii') as f:
        free = int(re.search(r'HugePages_Free: *(\d+)', f.read())[1])
    if free < PAGES:
        pytest.skip('%d huge pages are free; echo %d > /proc/sys/vm/nr_hugepages' % (free, PAGES))
    path = build.suite_root(build.DPDK_SUITE) + '/mnt'
    subprocess.run(['mount', '-t', 'hugetlbfs', 'huge', path], check=True)
    yield
    subprocess.run(['umount', path], check=True)


@pytest.mark.usefixtures('huge')
def test_with_huge_pages_as_before():
    assert list(distributions(False).values()).count(0) >= 20
    assert worse(False) == {}

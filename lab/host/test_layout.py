# SPDX-License-Identifier: BSD-3-Clause
"""What the plugin believes of DPDK's private structures, against the sources of DPDK at hand: the
one in bookworm's root file system, and what DPDK_SRC names (directories or archives, with colons
between)."""

import glob
import os
import subprocess

import pytest

CHECK = os.path.dirname(__file__) + '/../../drivers/misc/vfio_wc/test/check_layout'
FURTHER = list(filter(None, os.environ.get('DPDK_SRC', '').split(':')))
SUITES = dict(item.split('=') for item in os.environ.get('LAB_SUITES', '').split())


def check(*trees):
    """Exit status, the plan, the results."""
    done = subprocess.run([CHECK, *trees], stdout=subprocess.PIPE, text=True, check=False)
    plan, *lines = done.stdout.splitlines()
    return done.returncode, plan, [line for line in lines if not line.startswith('#')]


@pytest.mark.parametrize('tree', ['bookworm', *FURTHER])
def test_source(tree):
    if tree == 'bookworm':
        if 'bookworm' not in SUITES:
            pytest.skip("bookworm's root file system is not for --fast")
        archives = glob.glob(SUITES['bookworm'] + '/usr/src/dpdk_*.orig.tar.xz')
        assert len(archives) == 1
        tree = archives[0]
    status, plan, results = check(tree)
    bad = [line for line in results if not line.startswith('ok ')]
    assert not bad, '\n'.join(bad)
    assert plan == '1..%d' % len(results) and len(results) > 10
    assert status == 0


def test_nothing_checked_is_a_failure(tmp_path):
    assert check() == (2, 'Bail out! check_layout: no source of DPDK was named', [])
    missing = str(tmp_path / 'dpdk.tar.xz')
    for tree in str(tmp_path), missing:
        assert check(tree) == (1, '1..1', [
            'not ok 1 - %s: no source of DPDK: it has no file VERSION' % tree])
    (tmp_path / 'VERSION').write_text('24.11.0\n')
    (tmp_path / 'lib').mkdir()
    assert check(str(tmp_path)) == (1, '1..1', ['not ok 1 - %s: cc: exit status 1' % tmp_path])

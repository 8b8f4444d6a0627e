# SPDX-License-Identifier: BSD-3-Clause
"""The series for DPDK is what dpdk-patch/regenerate makes. That each patch builds is checked by
--long only: see test_dpdk_patches.py."""

import subprocess

import build
from results import tap

STAGE = 'test'


def said(command):
    done = subprocess.run(build.in_suite(build.DPDK_SUITE, command), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                          errors='replace', check=False)
    results, problem = tap(done.stdout)
    bad = [result for result in results if result[0] != 'ok']
    assert not problem and not bad and not done.returncode, '%s\n%s' % (problem, done.stdout)
    return results


def test_as_regenerated():
    assert len(said(['/src/dpdk-patch/check', '--source', build.dpdk_source('22.11')])) == 1

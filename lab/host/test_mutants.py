# SPDX-License-Identifier: BSD-3-Clause
"""The planted faults, as files: a change of the code that they are in must not make them rot until
somebody plays them. (Those of layers kernel and dpdk are for other trees: the gate says if they
rot.)"""

import glob
import subprocess

from mutants import Mutant

PATHS = sorted(glob.glob('/src/lab/mutants/*.patch'))


def test_there_are_as_many_as_there_should_be():
    """Forty at least, in all layers, ten of them in each run of the tests."""
    mutants = [Mutant(path) for path in PATHS]
    assert len(mutants) >= 40
    assert {mutant.layer for mutant in mutants} == \
        {'lab', 'plugin', 'run', 'lib', 'bench', 'ena', 'bus', 'kernel', 'dpdk'}
    assert len([mutant for mutant in mutants if mutant.stage == 'test']) >= 10


def test_each_applies():
    rotten = []
    for path in PATHS:
        if Mutant(path).layer not in ('kernel', 'dpdk'):
            done = subprocess.run(['patch', '--dry-run', '-p1', '-d', '/src', '-i', path],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  stdin=subprocess.DEVNULL, check=False)
            if done.returncode:
                rotten.append('%s: %s' % (path, done.stdout))
    assert not rotten, '\n'.join(rotten)

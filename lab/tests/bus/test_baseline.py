# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark counts what reaches the bus, and each recorded case has the PCIe writes per packet
that lab/bus/baseline.json says, no more and no less. A change that means to: lab/run bench --quick
--json FILE, the same with --device ena, then lab/bus/baseline.py FILE..."""

import functools
import json
import subprocess
import sys

import pytest

sys.path.append('/src/lab/bus')
import baseline # noqa: E402

ASKS = {'bus': 'yes'}


LIB = '. /src/lab/tests/lib.sh; '


@functools.lru_cache(maxsize=None)
def bench(guest, args='', llq='on'):
    result = '/results/bus.json'
    assert guest.sh(LIB + 'witness ena0 llq ' + llq)[1] == 'ok\n'
    status, said = guest.sh('rm -f %s; /src/lab/guest/bench.sh --quick %s -- --repeats 1 '
                            '--json %s' % (result, args, result), 600)
    assert guest.sh(LIB + 'witness ena0 llq on')[1] == 'ok\n'
    assert status == 0, said
    subprocess.run(['/src/app/wc-results/dpdk-wc-results', 'validate', '--strict', result],
                   check=True)
    with open(result, encoding='utf-8') as f:
        return json.load(f)


def ena(guest, entry):
    return bench(guest, '--device ena', {128: 'on', 256: 'wide'}[entry])


def test_stores_are_in_the_drivers_code(guest):
    assert [case['uc']['bus']['sites'][0]['object'][:15] for case in bench(guest)['cases']] == \
        ['librte_net_virt', 'librte_net_vmxn', 'librte_net_e100']


@pytest.mark.parametrize('entry', [128, 256])
@pytest.mark.parametrize('arm, store', [('uc', 8), ('wc', 64)])
def test_what_the_ena_pmd_pushes(guest, entry, arm, store):
    """The stock PMD pushes each descriptor and header into BAR2: an entry's 8-byte stores are as
    many writes uncached, and its 64-byte lines write-combined, which is the floor. A doorbell a
    burst comes on top, and a line that an interrupt cuts in two now and then."""
    case, = ena(guest, entry)['cases']
    floor = entry / store + 1 / case['burst']
    assert floor <= case[arm]['bus']['pcie_writes_per_packet'] + 1e-9 <= floor * 1.03


def test_the_record_is_whole():
    assert len(baseline.recorded()) == 8


@pytest.mark.parametrize('name', sorted(baseline.recorded()))
def test_writes_per_packet(guest, name):
    found = baseline.cases(ena(guest, 128) if 'net_ena' in name else bench(guest))
    recorded = baseline.recorded()[name]
    assert recorded / baseline.TOLERANCE <= found[name] <= recorded * baseline.TOLERANCE

# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark counts what reaches the bus, and each driver asks for as many PCIe writes a packet
as its code says, no more."""

import functools
import json
import subprocess

import pytest

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
    subprocess.run(['/src/app/wc-results/dpdk-wc-results', 'validate', '--strict',
                    guest.here(result)],
                   check=True)
    with open(guest.here(result), encoding='utf-8') as f:
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


# Where a ring is full, a burst leaves in pieces with a doorbell each: how often depends on how the
# emulated device keeps up.
TOLERANCE = 1.10


@pytest.mark.parametrize('arm', ['uc', 'wc'])
@pytest.mark.parametrize('number, pmd', enumerate(['net_virtio', 'net_vmxnet3',
                                                   'net_e1000_igb_vf']))
def test_a_doorbell_a_burst(guest, number, pmd, arm):
    """Less is luck: notifications that virtio's device wants no more, or doorbells that merged
    because nobody flushed them."""
    result = bench(guest)
    case = result['cases'][number]
    writes, = [metric for metric in result['metrics'] if metric['id'] ==
               '%s/%s/pcie_writes' % (case['id'], arm)]
    sample, = writes['samples']
    assert (case['pmd'], writes['kind']) == (pmd, 'counted')
    assert 0 < sample['value'] <= TOLERANCE / case['burst']
    assert writes['usable'] or 'linger' in writes['reasons'][0]

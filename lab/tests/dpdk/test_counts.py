# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark with DPDK's own EAL asking, and no plugin, says what it says with the plugin: types
by the page tables, what reaches the bus for a packet, and no instruction more for one."""

import functools
import json

import pytest

ASKS = {'bus': 'yes', 'dpdk': '22.11', 'suites': 'bookworm', 'stage': 'long'}
RESULT = '/results/eal.json'
# The release's testpmd, its pools and drivers, on EAL, bus and ENA driver with the series.
BUILT, DEBIAN = '/opt/dpdk-vfio-wc/dpdk-22.11', '/usr/lib/x86_64-linux-gnu/dpdk/pmds-*'
DRIVERS = {'ena': BUILT, 'virtio': DEBIAN, 'vmxnet3': DEBIAN, 'e1000': DEBIAN}
DEVICES = {'ena': (2, 0, 0x100000), 'virtio': (4, 0x3000, 0x1000), 'vmxnet3': (0, 0, 0x1000),
           'igbvf': (0, 0x3000, 0x1000)}
ARMS = 'plain', 'uc', 'wc'


@functools.lru_cache(maxsize=None)
def cases(guest):
    """{device: its case}"""
    load = ' '.join('--eal -d --eal $(echo %s/librte_net_%s.so)' % (folder, name)
                    for name, folder in DRIVERS.items())
    found = {}
    for some in '--device ena', '--quick':
        status, said = guest.sh(
            'export LD_LIBRARY_PATH=%s; rm -f %s; /src/lab/guest/bench.sh %s -- --repeats 1 '
            '--wc-by eal --eal -d --eal $(echo %s/librte_mempool_ring.so) %s --json %s' %
            (BUILT, RESULT, some, DEBIAN, load, RESULT), 600)
        assert status == 0, said
        with open(guest.here(RESULT), encoding='utf-8') as f:
            result = json.load(f)
        assert result['settings']['wc_by'] == 'eal'
        found.update({case['device']: case for case in result['cases']})
    return {name: found[guest.bdf(name)] for name in DEVICES}


@pytest.mark.parametrize('name', DEVICES)
def test_types_are_what_the_page_tables_say(guest, name):
    case = cases(guest)[name]
    assert [case[key] for key in ('bar', 'offset', 'length')] == list(DEVICES[name])
    assert [(case[arm]['memory_type'], case[arm]['memory_type_source']) for arm in ARMS] == \
        [('UC-', 'pte'), ('UC-', 'pte'), ('WC', 'pte')]


@pytest.mark.parametrize('arm, store', [('uc', 8), ('wc', 64)])
def test_what_reaches_the_bus(guest, arm, store):
    """As bus/test_writes has it of the plugin: eight stores a line uncached, one write WC."""
    case = cases(guest)['ena']
    floor = 128 / store + 1 / case['burst']
    assert floor <= case[arm]['bus']['pcie_writes_per_packet'] + 1e-9 <= floor * 1.03


def test_no_instruction_is_added(guest):
    counts = {arm: cases(guest)['ena'][arm]['bus']['instructions_per_packet'] for arm in ARMS}
    assert max(counts.values()) <= min(counts.values()) * 1.05, counts

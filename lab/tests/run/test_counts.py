# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark with its arms under vfio-wc-run says what it says with the plugin: types by the
page tables, what reaches the bus for a packet, and no instruction more for one."""

import functools
import json

ASKS = {'bus': 'yes'}
RESULT = '/results/run.json'


@functools.lru_cache(maxsize=None)
def case(guest):
    status, said = guest.sh('rm -f %s; /src/lab/guest/bench.sh --device ena -- --repeats 1 '
                            '--wc-by run --json %s' % (RESULT, RESULT), 600)
    assert status == 0, said
    with open(guest.here(RESULT), encoding='utf-8') as f:
        result = json.load(f)
    assert result['settings']['wc_by'] == 'run'
    found, = result['cases']
    return found


def test_types_are_what_the_page_tables_say(guest):
    assert [(case(guest)[arm]['memory_type'], case(guest)[arm]['memory_type_source'])
            for arm in ('plain', 'uc', 'wc')] == [('UC-', 'pte'), ('UC-', 'pte'), ('WC', 'pte')]


def test_the_range_is_the_tables(guest):
    assert [case(guest)[key] for key in ('bar', 'offset', 'length')] == [2, 0, 0x100000]


def test_what_reaches_the_bus(guest):
    """As bus/test_writes has it of the plugin: eight stores a line uncached, one write WC."""
    for arm, store in ('uc', 8), ('wc', 64):
        floor = 128 / store + 1 / case(guest)['burst']
        assert floor <= case(guest)[arm]['bus']['pcie_writes_per_packet'] + 1e-9 <= floor * 1.03


def test_no_instruction_is_added(guest):
    counts = {arm: case(guest)[arm]['bus']['instructions_per_packet']
              for arm in ('plain', 'uc', 'wc')}
    assert max(counts.values()) <= min(counts.values()) * 1.05, counts

# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark's table is the same whoever asks for the mapping, the plugin or vfio-wc-run."""

import functools
import json

import model
import pytest

ASKS = {'bus': 'yes', 'stage': 'long'}
RESULT = '/results/table.json'
ARMS = 'plain', 'uc', 'wc'
# Where a ring is full a burst leaves in pieces, how often depends on how the device keeps up.
NOISE = {'ena': 1.05, 'virtio': 1.10}

devices = pytest.mark.parametrize('device', NOISE)


@functools.lru_cache(maxsize=None)
def case(guest, device, by):
    status, said = guest.sh('rm -f %s; /src/lab/guest/bench.sh --device %s -- --repeats 1 '
                            '--wc-by %s --json %s' % (RESULT, device, by, RESULT), 600)
    assert status == 0, said
    with open(guest.here(RESULT), encoding='utf-8') as f:
        result = json.load(f)
    assert result['settings']['wc_by'] == by
    found, = result['cases']
    return found


def both(guest, device, what):
    """What the plugin's case has, and the launcher's."""
    return [what(case(guest, device, by)) for by in ('plugin', 'run')]


def counts(guest, device, key):
    """The same, of each arm in turn."""
    return zip(*both(guest, device, lambda found: [found[arm]['bus'][key] for arm in ARMS]))


@devices
def test_types_by_the_page_tables(guest, device):
    plugin, run = both(guest, device, lambda found: [
        (found[arm]['memory_type'], found[arm]['memory_type_source']) for arm in ARMS])
    assert run == plugin == [('UC-', 'pte'), ('UC-', 'pte'), ('WC', 'pte')]


@devices
def test_range(guest, device):
    plugin, run = both(guest, device, lambda found: [
        found[key] for key in ('bar', 'offset', 'length', 'burst')])
    assert run == plugin


@devices
def test_writes_on_the_bus(guest, device):
    for plugin, run in counts(guest, device, 'pcie_writes_per_packet'):
        assert plugin / NOISE[device] <= run <= plugin * NOISE[device]


@devices
def test_instructions(guest, device):
    """None is added for a packet that is offered: the arms run the same code, all else is
    polling."""
    plugin, run = both(guest, device, lambda found: min(
        model.typical(model.per_packet(found[arm]))[0] for arm in ARMS))
    print('%s: %.1f with the plugin, %.1f with the launcher' % (device, plugin, run))
    assert run <= plugin * NOISE[device]

# SPDX-License-Identifier: BSD-3-Clause
"""The control: vfio modules in which only the page protection says write-combining. The bench, told
to believe the kernel, must find out, and name what it saw."""

import json
import re

import pytest

ASKS = {'modules': 'trap'}
RESULT = '/results/bench.json'


def refused(guest, command, status=4):
    got, said = guest.sh('rm -f %s; %s 2>&1' % (RESULT, command), 300)
    assert got == status, said
    with open(guest.here(RESULT), encoding='utf-8') as f:
        return json.load(f), said


@pytest.mark.parametrize('name, bar, offset', [('virtio', 4, 0x3000), ('vmxnet3', 0, 0)])
def test_what_is_only_called_wc(guest, name, bar, offset):
    result, said = refused(guest, '/src/lab/guest/bench.sh --wc-by-kernel --device ' + name)
    assert 'refused: device %s BAR %d 0x%x+0x1000: arm wc needs WC here, observed UC-' % (
        guest.bdf(name), bar, offset) in said
    assert result['status'] == 'refused'
    assert [result['refused'][key] for key in (
        'device', 'arm', 'expected', 'observed', 'source')] == \
        [guest.bdf(name), 'wc', 'WC', 'UC-', 'pte']
    assert result['cases'][0]['wc']['memory_type'] == 'UC-'
    assert result['metrics'] == []


def test_the_kernels_list_would_have_told_too(guest):
    result, _ = refused(guest, "WC_WITNESS='' dpdk-test-wc-perf --device $(lab-bind virtio) "
                        '--range virtio-notify --wc-by kernel --mem 64 --warmup 0.1 --window 0.2 '
                        '--repeats 1 --json ' + RESULT)
    assert result['refused']['source'] == 'memtype_list'


def test_the_plugin_cannot_map_it(guest):
    """There are no cookies here, and the reason is passed on."""
    _, said = refused(guest, '/src/lab/guest/bench.sh --device virtio -- --arms uc,wc '
                      '--repeats 1', 6)
    assert re.search('[Cc]ookie', said), said

# SPDX-License-Identifier: BSD-3-Clause
"""Where writes are made to cost something, what the benchmark must find is known beforehand, from
counts and costs: it finds that.

Its interval is one of 95%: one in twenty may miss the truth and be right about it. So what must be
is looked for within three of them, which is a chance of less than one in a thousand, and one
percent; on a loaded machine the interval is as wide as it must be."""

import functools
import json
import math
import subprocess

import main
import model
import pytest

ASKS = {'bus': 'yes', 'stage': 'long'}
RESULT = '/results/bench.json'
# (of an uncached write, of one from a WC buffer), instructions. 687 a packet and 2.2 from buffers:
# 3% slower.
COSTS = {'0': model.emulation('0'), 'aws-f1': model.emulation('aws-f1'), 'slower': (0, 9.5)}
ABOUT = {'0': 1, 'aws-f1': 5.6, 'slower': 0.97}
# (wanted, of starts no more than)
PRECISION = {'0': (2, 8), 'aws-f1': (2, 8), 'slower': (0.75, 12)}
EACH = pytest.mark.parametrize('name', COSTS)


@functools.lru_cache(maxsize=None)
def bench(guest, name):
    """As lab/run bench --emulate NAME does it."""
    guest.witness.bus(model.pace(COSTS[name]))
    try:
        status, said = guest.sh('rm -f %s; /src/lab/guest/bench.sh --emulated -- --precision %g%% '
                                '--max-repeats %d' % (RESULT, *PRECISION[name]), 600)
    finally:
        guest.witness.bus(['pace', '0', '0', '0'])
    assert status in (0, 8), said
    main.complete(guest.here(RESULT), 'tcg', name)
    subprocess.run(['/src/app/wc-results/dpdk-wc-results', 'validate', '--strict',
                    guest.here(RESULT)], check=True)
    with open(guest.here(RESULT), encoding='utf-8') as f:
        return json.load(f), status, said


def half(ratio):
    """How far the interval reaches, of logarithms."""
    return math.log(ratio['ci95'][1] / ratio['estimate'])


@EACH
def test_what_must_be_is_found(guest, name):
    case, = bench(guest, name)[0]['cases']
    ratio, must = case['ratio'], case['known']['ratio']
    assert must == pytest.approx(ABOUT[name], rel=0.1 if name == 'aws-f1' else 0.015)
    assert abs(math.log(ratio['estimate'] / must)) <= 3 * half(ratio) + 0.01


def test_three_percent_are_found(guest):
    case, = bench(guest, 'slower')[0]['cases']
    if not case['precision']['reached']:
        pytest.skip('this machine is too busy to know the ratio well enough: %s' %
                    case['ratio']['ci95'])
    assert case['ratio']['ci95'][1] < 1


@EACH
def test_precision_is_what_the_interval_has(guest, name):
    result, status, said = bench(guest, name)
    case, = result['cases']
    precision, (wanted, most) = case['precision'], PRECISION[name]
    assert precision['got'] == pytest.approx(math.expm1(half(case['ratio'])), rel=1e-6)
    assert precision['reached'] == (precision['got'] <= wanted / 100) == (status == 0)
    assert 6 <= case['ratio']['starts'] <= most
    assert precision['reached'] or case['ratio']['starts'] == most
    assert ('%g%% was asked for: not reached' % wanted in said) != precision['reached']


@EACH
def test_it_is_emulated_wherever_it_appears(guest, name):
    result, _, said = bench(guest, name)
    assert {metric['kind'] for metric in result['metrics'] if metric['metric'] == 'tx_rate' and
            'profile' not in metric} == {'emulated'}
    assert '*Emulated*: an instruction takes 250 ns' in said and 'mean nothing' not in said
    assert result['environment']['lab']['emulated'] == name
    assert '*Emulated*' in guest.sh('dpdk-test-wc-perf --show ' + RESULT)[1]

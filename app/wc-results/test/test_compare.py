# SPDX-License-Identifier: BSD-3-Clause
"""What is called better and worse: seeded simulations, of the code that judges."""

import json
import subprocess

import numpy
import pytest
from common import TOOL, metric, noise, report, result
from wc_results import compare, main

STAGE = 'test'
REPORTS = 10000


def verdicts(old, new, threshold=0.02):
    return [finding.verdict for finding in compare.metrics(old, new, threshold)]


# --- False alarms ---------------------------------------------------------------------------------

@pytest.mark.parametrize('repeats, cases, deviation', [(6, 1, 0.05), (12, 8, 0.05), (8, 4, 0.3)])
def test_no_more_than_one_false_alarm_in_a_hundred_reports(repeats, cases, deviation):
    """10,000 pairs of runs in which nothing differs; two tiers of so many cases each."""
    random = numpy.random.default_rng(15)
    alarms = numpy.zeros(REPORTS, bool)
    for _ in range(2):
        a, b = (numpy.log(noise(random, (REPORTS, cases, repeats), deviation).clip(0.01))
                for _ in range(2))
        p = compare.p_value(a, b)
        for number in range(REPORTS):
            differs = compare.holm(p[number], compare.ALPHA / 2)
            alarms[number] |= any(abs(compare.shift(a[number, n], b[number, n])) >= 0.0198
                                  for n in numpy.flatnonzero(differs))
    assert alarms.mean() <= 0.01


def test_whole_reports_as_compare_sees_them():
    """The same with counts, and all that stands around the test."""
    random = numpy.random.default_rng(16)
    alarms = sum(bool({'better', 'worse'} & set(verdicts(report(random, cases=2),
                                                         report(random, cases=2))))
                 for _ in range(1000))
    assert alarms <= 10


def test_turns_of_a_start_do_not_make_alarms():
    """Starts that differ more than turns do, and nothing has changed: many turns are no proof."""
    random = numpy.random.default_rng(21)

    def run(starts=6, turns=8):
        start = noise(random, (starts, 1), 0.05)
        return [metric(values=(start * noise(random, (starts, turns), 0.01)).ravel(), turns=turns)]
    alarms = sum(bool({'better', 'worse'} & set(verdicts(run(), run()))) for _ in range(1000))
    assert alarms <= 10


@pytest.mark.parametrize('repeats', [3, 6])
def test_counts_raise_no_alarm(repeats):
    random = numpy.random.default_rng(17)
    assert sum(bool({'better', 'worse'} & set(verdicts(*counts(random, repeats, 1.0))))
               for _ in range(REPORTS // 8)) == 0


def counts(random, repeats, more):
    """Of eight cases, before and after."""
    return [[metric('wc', 'pcie_writes', level * noise(random, repeats, 0.0016), frame)
             for frame in range(64, 72)] for level in (2.04, 2.04 * more)]


# --- What must be found ---------------------------------------------------------------------------

def test_three_percent_of_a_count_are_always_found():
    random = numpy.random.default_rng(18)
    for _ in range(REPORTS // 8):
        old, new = counts(random, 6, 1.03)
        assert set(verdicts(old, new)) == {'worse'}
    assert set(verdicts(new, old)) == {'better'}


@pytest.mark.parametrize('deviation, repeats, power', [
    (0.01, 6, 0.80), (0.01, 12, 0.99), (0.02, 12, 0.75), (0.05, 60, 0.70)])
def test_power_is_as_documented(deviation, repeats, power):
    """Of one ratio that fell by 5% (doc/results.rst has the table)."""
    assert found(deviation, repeats, 0.05) >= power


def found(deviation, repeats, slower, reports=1000):
    random = numpy.random.default_rng(19)
    runs = [[metric(values=level * noise(random, repeats, deviation)) for level in (1, 1 - slower)]
            for _ in range(reports)]
    return sum(verdicts([a], [b]) == ['worse'] for a, b in runs) / reports


# --- How it is said -------------------------------------------------------------------------------

def test_better_and_worse_are_as_the_direction_says():
    low, high = (metric(values=numpy.linspace(v, v * 1.001, 8)) for v in (1.0, 1.2))
    assert verdicts([low], [high]) == ['better']
    assert verdicts([high], [low]) == ['worse']
    for m in low, high:
        m['direction'] = 'lower'
    assert verdicts([low], [high]) == ['worse']


def test_a_difference_below_the_threshold_is_the_same():
    old, new = (metric(values=numpy.linspace(v, v * 1.001, 12)) for v in (1.0, 1.01))
    assert verdicts([old], [new]) == ['same']
    assert verdicts([old], [new], threshold=0.005) == ['better']


def test_too_few_is_not_decided_and_how_many_more_is_enough():
    random = numpy.random.default_rng(20)

    def runs(repeats):
        return [[metric(values=level * noise(random, repeats, 0.02))] for level in (1, 0.95)]
    decided = []
    for _ in range(200):
        finding, = compare.metrics(*runs(4), 0.02)
        assert finding.verdict == 'undecided'
        decided.append(verdicts(*runs(4 + finding.more)) == ['worse'])
    assert sum(decided) / len(decided) >= compare.POWER


def test_counts_that_do_not_repeat_are_no_exact_ones():
    old = metric('wc', 'pcie_writes', [1.0, 1.3, 0.9, 1.6, 1.1, 0.8])
    new = metric('wc', 'pcie_writes', [1.1, 1.4, 1.0, 1.7, 1.2, 0.9])
    finding, = compare.metrics([old], [new], 0.02)
    assert (finding.tier, finding.verdict) == ('varying', 'undecided')


@pytest.mark.parametrize('change, why', [
    ({'usable': False, 'reasons': ['a reason']}, 'a reason'), ({'samples': []}, 'no samples'),
    ({'unit': 'bits'}, 'another unit'), ({'kind': 'emulated'}, 'or kind'),
    ({'id': 'x'}, 'not in the new run')])
def test_what_cannot_be_compared_says_why_and_decides_nothing(change, why):
    old, new = metric(), metric(**change)
    findings = compare.metrics([old], [new], 0.02)
    assert why in findings[0].why
    assert compare.worst(findings) == 'undecided'


def test_what_was_lost_is_not_decided(tmp_path):
    """A run that died half-way, or may not be used now, is not the same as the whole one."""
    rest = metric('wc', 'pcie_writes', [2.04] * 6)
    half = {**result([rest]), 'status': 'testpmd failed'}
    assert run(tmp_path, result(FAST), half)[0] == 3
    spoiled = metric(usable=False, reasons=['frames sent and frames that arrived differ'])
    assert run(tmp_path, result(FAST), result([rest, spoiled]))[0] == 3
    # what is new decides nothing, nor does what could not be used before; what is worse is
    assert run(tmp_path, half, result(FAST))[0] == 0
    assert run(tmp_path, result([rest, spoiled]), result([rest, spoiled]))[0] == 0
    assert run(tmp_path, result(FAST), result(SLOW[:1]))[0] == 1


def test_what_is_modelled_is_not_compared():
    assert verdicts([metric(kind='modelled')], [metric(kind='modelled')]) == []


# --- The command ----------------------------------------------------------------------------------

def run(tmp_path, old, new, *options):
    for name, content in ('old', old), ('new', new):
        (tmp_path / name).write_text(json.dumps(content))
    done = subprocess.run([TOOL, 'compare', *options, str(tmp_path / 'old'), str(tmp_path / 'new')],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if '--json' not in options:
        assert max(map(len, done.stdout.splitlines())) <= 80
    return done.returncode, done.stdout


def test_what_is_no_result_is_no_verdict(tmp_path):
    (tmp_path / 'no').write_text('{}')
    done = subprocess.run([TOOL, 'compare', str(tmp_path / 'no'), str(tmp_path / 'no')],
                          stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2 and 'no result of dpdk-test-wc-perf' in done.stderr


FAST = [metric('wc', 'pcie_writes', [2.04] * 6), metric(values=[2.0, 2.01, 2.02, 2.0, 2.01, 2.03])]
SLOW = [metric('wc', 'pcie_writes', [2.14] * 6), metric(values=[1.8, 1.81, 1.82, 1.8, 1.81, 1.83])]


def test_exit_status(tmp_path):
    assert run(tmp_path, result(FAST), result(FAST))[0] == 0
    assert run(tmp_path, result(SLOW), result(FAST))[0] == 0
    status, said = run(tmp_path, result(FAST), result(SLOW))
    assert status == 1 and 'worse' in said and '2.04 -> 2.14' in said
    status, said = run(tmp_path, result(FAST), result(SLOW[:1] + [metric(values=[1, 2, 3])]),
                       '--threshold', '10%')
    assert status == 3 and 'take' in said


def test_another_machine_is_refused_unless_told(tmp_path):
    status, said = run(tmp_path, result(FAST), result(FAST, cpu='another CPU'))
    assert status == 4 and 'environment.cpu' in said and 'another CPU' in said
    assert run(tmp_path, result(FAST), result(FAST, cpu='another CPU'), '--across')[0] == 0


@pytest.mark.parametrize('key, value', [('numa_node', 1), ('lcores', [0, 8])])
def test_another_place_is_other_circumstances(tmp_path, key, value):
    elsewhere = result(FAST)
    elsewhere['cases'][0][key] = value
    status, said = run(tmp_path, result(FAST), elsewhere)
    assert status == 4 and key + ' of' in said
    assert run(tmp_path, result(FAST), elsewhere, '--across')[0] == 0


def test_a_fault_of_the_tool_is_not_worse(monkeypatch, tmp_path):
    (tmp_path / 'a').write_text(json.dumps(result(FAST)))
    monkeypatch.setattr(compare, 'worst', None)
    assert main.main(['compare', str(tmp_path / 'a'), str(tmp_path / 'a')]) == 2


def test_for_machines(tmp_path):
    status, said = run(tmp_path, result(FAST), result(SLOW), '--json')
    assert status == 1
    assert json.loads(said)['findings'][0]['verdict'] == 'worse'

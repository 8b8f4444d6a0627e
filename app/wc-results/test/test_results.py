# SPDX-License-Identifier: BSD-3-Clause
"""Files of results: what is read, what is refused, what is kept."""

import copy
import json
import os
import subprocess

import pytest
from common import TOOL, metric, result
from wc_results import history, results

FIRST = os.path.dirname(os.path.realpath(__file__)) + '/version-1.json'


def tool(*words):
    done = subprocess.run([TOOL, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


@pytest.fixture(name='file')
def files(tmp_path):
    def write(content, name='result.json'):
        (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
        return str(tmp_path / name)
    return write


# --- validate -------------------------------------------------------------------------------------

def test_a_result_is_valid():
    assert results.problems(result([metric()]), strict=True) == []


def test_readers_ignore_what_they_do_not_know_and_ci_does_not():
    grown = result([metric(colour='red')])
    grown['surprise'] = 1
    assert results.problems(grown) == []
    assert len(results.problems(grown, strict=True)) == 2


@pytest.mark.parametrize('path, value', [
    (['started'], 'yesterday'), (['metrics', 0, 'kind'], 'guessed'),
    (['metrics', 0, 'samples', 0, 'value'], None), (['schema'], 'dpdk-vfio-wc/test-wc-perf/3'),
    (['schema'], 'other/1'), (['status'], 'fine')])
def test_what_is_wrong_is_named(file, path, value):
    wrong = result([metric()])
    place = wrong
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    status, said = tool('validate', file(wrong))
    assert status == 1 and (str(path[-1]) in said or 'version 3 is not known' in said)


def test_what_is_no_json_is_an_error(file):
    assert tool('validate', file('{'))[0] == 1
    status, said = tool('show', file('{'))
    assert status == 2 and 'Traceback' not in said
    assert tool('show', '/nowhere')[1] == 'dpdk-wc-results: /nowhere: No such file or directory\n'


def text_with(value):
    """Of a result, where a sample has that, whatever it is."""
    return json.dumps(result([metric(values=[7.25])])).replace('7.25', value)


OTHERWISE = {
    'NaN': text_with('NaN'), 'infinity': text_with('-Infinity'), 'large': text_with('1e999'),
    'long': text_with('1' + 400 * '0'),
    'twice': text_with('1').replace('"ok"', '"refused", "status": "ok"'),
    'half': json.dumps(result([metric(usable=False, reasons=['half a \ud800'])])),
    'deep': 100000 * '['}


@pytest.mark.parametrize('what', OTHERWISE)
def test_what_others_do_not_read_or_read_otherwise_is_no_json(file, what):
    path = file(OTHERWISE[what])
    assert tool('validate', path)[0] == 1
    status, said = tool('show', path)
    assert status == 2 and said.startswith('dpdk-wc-results: %s: ' % path)
    assert len(said.splitlines()) == 1


def test_what_is_replaced_in_these_is_read(file):
    assert tool('validate', '--strict', file(text_with('7.25'))) == (0, '')


def test_one_series_is_not_there_twice(file):
    """A dashboard would take one of them, or none."""
    twice = file(result([metric(), metric('wc'), metric(values=[9.0] * 6)]))
    status, said = tool('validate', twice)
    assert status == 1 and said.endswith(': $.metrics: 2 times %s\n' % metric()['id'])
    assert tool('compare', twice, twice)[0] == 2


def test_a_time_is_one_of_the_calendar(file):
    status, said = tool('matrix', file({**result([metric()]), 'started': '2026-13-01T01:00:00Z'}))
    assert status == 2 and 'no such time: 2026-13-01T01:00:00Z' in said


# --- The first version ----------------------------------------------------------------------------

def test_the_first_version_is_valid_and_read():
    assert tool('validate', '--strict', FIRST) == (0, '')
    found = {m['id']: m for m in results.read(FIRST)['metrics']}
    case = 'net_virtio/-/bar4+0x3000+0x1000/txonly/frame64/burst32/queues1/cores1/'
    assert results.values(found[case + 'uc/tx_rate'])[1] == pytest.approx(1.01e6 * 1.01)
    assert results.values(found[case + 'wc/pcie_writes'])[:2] == [2.0, 2.01]
    assert results.summary(found[case + 'wc/uc/tx_rate']).median == pytest.approx(2)
    assert found[case + 'wc/uc/tx_rate']['reasons'] == ['this platform ignores memory types']
    assert found[case + 'uc/tx_rate']['usable']


def test_two_devices_of_the_first_version_are_two(file):
    """It had no ids of devices; addresses are none, for a device may be in another slot."""
    with open(FIRST, encoding='utf-8') as f:
        old = json.load(f)
    old['cases'].append({**old['cases'][0], 'device': '0000:00:05.0'})
    ids = [m['id'] for m in results.read(file(old))['metrics']]
    assert len(set(ids)) == len(ids)
    assert 'net_virtio/-#2/bar4+0x3000+0x1000/txonly/frame64/burst32/queues1/cores1/uc/tx_rate' \
        in ids


def test_what_was_read_follows_the_newest_schema_as_far_as_it_can():
    read = results.read(FIRST)
    assert all(problem.startswith(('$.environment:', '$.settings', '$.cases', '$: '))
               for problem in results.problems(read))


# --- Samples and starts ---------------------------------------------------------------------------

def test_samples_of_a_start_are_one_value():
    samples = [1, 3, 10, 20, 90, 5, 7]
    assert results.values(metric(values=samples)) == samples
    assert results.values(metric(values=samples, turns=1)) == samples
    assert results.values(metric(values=samples, turns=3)) == [3, 20, 7]
    assert results.summary(metric(values=[1, 9] * 5, turns=2)).low is None
    assert results.summary(metric(values=[1, 9] * 6, turns=2)) == (6, 5, 5, 5)


# --- Circumstances --------------------------------------------------------------------------------

def test_a_fingerprint_is_of_the_machine_not_of_the_code():
    one = result([metric()])
    other = copy.deepcopy(one)
    other['environment']['parts']['commit'] = 'another'
    assert results.fingerprint(one) == results.fingerprint(other)
    other['environment']['microcode'] = '0x2'
    assert results.fingerprint(one) != results.fingerprint(other)
    assert results.differences(one, other) == ['environment.microcode: null, then "0x2"']


# --- history --------------------------------------------------------------------------------------

def test_history_grows_and_forgets_nothing(file, tmp_path):
    folder = str(tmp_path / 'history')
    assert tool('history', folder, file(result([metric()])))[0] == 0
    second = result([metric(values=[1.0] * 6)])
    status, said = tool('history', folder, file(second))
    assert status == 0 and len(said.splitlines()) == 3
    assert tool('history', folder, file(second))[1] == said # it has that one
    names = os.listdir(folder)
    assert len(names) == 2 and all(name.startswith('2026-11-21T010000Z-') for name in names)
    assert {os.stat('%s/%s' % (folder, name)).st_mode & 0o777 for name in names} == {0o444}
    assert tool('history', folder, file('{}'))[0] == 2
    assert len(os.listdir(folder)) == 2


def test_history_is_on_the_disk_with_its_names(file, tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, 'fsync', lambda fd: synced.append(os.readlink('/proc/self/fd/%d' % fd)))
    name = history.add(str(tmp_path), file(result([metric()])))
    assert synced[-1] == str(tmp_path) and len(synced) == 2
    assert name in os.listdir(tmp_path)


# --- matrix ---------------------------------------------------------------------------------------

def test_runs_stand_side_by_side(file):
    """The newest of each kernel and DPDK; one that failed is there, and gives way to a good one."""
    def run(day, kernel, writes, **more):
        found = result([metric('uc', 'pcie_writes', [16.0] * 6),
                        metric('wc', 'pcie_writes', [writes] * 6), metric(**more)], kernel=kernel)
        found['started'] = '2026-11-2%dT01:00:00Z' % day
        return found
    nothing = {**run(1, '6.12', 1.0), 'metrics': [], 'cases': [], 'status': 'not ready'}
    other = {**run(3, '7.3', 3.0), 'metrics': [], 'cases': [], 'status': 'testpmd failed'}
    runs = [run(3, '6.12', 2.04), nothing, run(2, '6.12', 9.0),
            run(1, '6.1', 2.5, usable=False, reasons=['why']), other]
    status, said = tool('matrix', *(file(one, '%d.json' % n) for n, one in enumerate(runs)))
    case = '  net_ena 1d0f:ec20 bar2 txonly frame64 burst32 queues1 cores1'
    assert (status, said.splitlines()) == (0, [
        'DPDK 24.11.4, kernel 6.1: ok', case,
        '    PCIe writes a packet 16 -> 2.5; wc/uc 2 (2..2) (!) not usable', '',
        'DPDK 24.11.4, kernel 6.12: ok', case,
        '    PCIe writes a packet 16 -> 2.04; wc/uc 2 (2..2)', '',
        'DPDK 24.11.4, kernel 7.3: testpmd failed', '  nothing was measured'])


# --- show -----------------------------------------------------------------------------------------

def test_a_terminal_is_not_given_orders(file):
    said = tool('show', file({**result([]), 'status': 'testpmd failed',
                              'message': 'Its last words: \x1b[2J\x07\x9b'}))[1]
    assert 'Its last words: \ufffd[2J\ufffd\ufffd\n' in said


def test_a_summary_has_80_columns_and_says_what_may_not_be_used(file):
    status, said = tool('show', FIRST, file(result([
        metric(), metric('wc', 'pcie_writes', [2.04] * 6)], cpu='a CPU of many words ' * 10)))
    assert status == 0
    assert max(map(len, said.splitlines())) <= 80
    assert 'wc/uc    tx_rate                     2  2..2 ' in said
    assert '(!) not usable:' in said and 'this platform ignores memory types' in said

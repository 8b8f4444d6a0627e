# SPDX-License-Identifier: BSD-3-Clause
"""Each format, as the one who takes it reads it: the program itself or its parser where Debian has
it, otherwise the form that it publishes."""

import csv
import datetime
import glob
import json
import os
import stat
import subprocess
import sys

import junitparser
import pytest
from common import TOOL, metric, result
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from wc_results import export

STAGE = 'test'
RATES = [1e6, 1.02e6, 1.01e6, 1.03e6, 1.0e6, 1.05e6]
METRICS = [
    metric('wc', 'tx_rate', RATES),
    metric('wc', 'pcie_writes', [2.04] * 6),
    metric('wc/uc', 'tx_rate', [2.0] * 5, usable=False, reasons=['a reason']),
    metric('wc', 'tx_rate', [5e6], id='x/tx_rate/aws-f1', kind='modelled', profile='aws-f1')]


@pytest.fixture(name='exported')
def exports(tmp_path):
    def to(name, *options, results=(result(METRICS),)):
        files = []
        for number, one in enumerate(results):
            files.append(tmp_path / ('%d.json' % number))
            files[-1].write_text(json.dumps(one))
        out = tmp_path / ('out-' + name)
        subprocess.run([TOOL, 'export', '--to', name, '-o', out, *options, *files], check=True)
        return out
    return to


def later(minutes):
    again = result(METRICS)
    again['started'] = '2026-11-21T01:%02d:00Z' % minutes
    return again


# --- Prometheus -----------------------------------------------------------------------------------

def test_openmetrics_has_every_sample_and_its_time(exported):
    text = exported('openmetrics', results=(later(30), later(0))).read_text()
    families = {f.name: f for f in openmetrics.text_string_to_metric_families(text)}
    rates = families['dpdk_wc_tx_rate_packets_per_second']
    assert rates.unit == 'packets_per_second'
    samples = [s for s in rates.samples if s.labels['kind'] == 'measured']
    assert [s.value for s in samples] == RATES * 2
    began = datetime.datetime(2026, 11, 21, 1, tzinfo=datetime.timezone.utc).timestamp()
    assert [float(s.timestamp) for s in samples] == \
        [began + half + 3 * n for half in (0, 1800) for n in range(6)]
    assert samples[0].labels['frame'] == '64' and samples[0].labels['pmd'] == 'net_ena'
    assert 'dpdk_wc_tx_rate_ratio' not in families # it is not usable, and says so
    usable = families['dpdk_wc_tx_rate_ratio_usable'].samples
    assert {s.value for s in usable} == {0}


def test_openmetrics_of_runs_that_overlap(exported, tmp_path):
    """Two builds of one run, a clock that was set back, a file that is there twice."""
    def run(started, later, value):
        found = result([metric('wc', values=[value] * 6)])
        for sample in found['metrics'][0]['samples']:
            sample['at_s'] += later
        return {**found, 'started': started}
    now = '2026-11-21T01:00:00Z'
    runs = run(now, 0, 1e6), run(now, 1.5, 2e6), run('2026-11-21T01:00:07Z', 0, 3e6)
    out = exported('openmetrics', results=(*runs, runs[0]))
    families = {f.name: f for f in openmetrics.text_string_to_metric_families(out.read_text())}
    times = [float(s.timestamp)
             for s in families['dpdk_wc_tx_rate_packets_per_second'].samples]
    assert times == sorted(set(times)) and len(times) == 18
    subprocess.run(['promtool', 'tsdb', 'create-blocks-from', 'openmetrics', out,
                    tmp_path / 'tsdb'], stdout=subprocess.DEVNULL, check=True)
    listed = subprocess.run(['promtool', 'tsdb', 'list', tmp_path / 'tsdb'],
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    assert listed.splitlines()[1].split()[4] == '20' # two of the gauge that says usable


def test_openmetrics_is_filled_in_by_promtool(exported, tmp_path):
    text = exported('openmetrics', results=(later(0), later(30)))
    done = subprocess.run(['promtool', 'tsdb', 'create-blocks-from', 'openmetrics', text,
                           tmp_path / 'tsdb'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout
    listed = subprocess.run(['promtool', 'tsdb', 'list', tmp_path / 'tsdb'],
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    head, *blocks = listed.splitlines()
    column = head.replace('NUM SAMPLES', 'NUM-SAMPLES').replace('BLOCK ULID', 'BLOCK') \
        .replace('MIN TIME', 'MIN').replace('MAX TIME', 'MAX').split().index('NUM-SAMPLES')
    written = [line for line in text.read_text().splitlines() if line[0] != '#']
    assert sum(int(block.split()[column]) for block in blocks) == len(written) == 34


def test_textfile_has_the_newest_run_and_promtool_has_nothing_against_it(exported):
    text = exported('prometheus', results=(later(30), later(0))).read_text()
    done = subprocess.run(['promtool', 'check', 'metrics'], input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, '')
    families = {f.name: f for f in text_string_to_metric_families(text)}
    sample, = [s for s in families['dpdk_wc_tx_rate_packets_per_second'].samples
               if s.labels['kind'] == 'measured']
    assert (sample.value, sample.timestamp) == (1.015e6, None)


# --- Benchmarks -----------------------------------------------------------------------------------

def test_google_benchmark_is_compared_by_its_own_tool(exported, tmp_path):
    old = exported('google-benchmark')
    content = json.loads(old.read_text())
    first = content['benchmarks'][0]
    assert (first['items_per_second'], first['real_time']) == (1e6, 1000)
    assert first['pcie_writes'] == 2.04 and content['context']['caches'] == []
    assert [b['repetition_index'] for b in content['benchmarks']] == list(range(6))
    assert first['label'] == 'measured, start 1, turn 1'
    for benchmark in content['benchmarks']:
        benchmark['real_time'] *= 2
        benchmark['cpu_time'] *= 2
    new = tmp_path / 'slower'
    new.write_text(json.dumps(content))
    tool, = glob.glob('/usr/share/benchmark/compare.py')
    done = subprocess.run([sys.executable, tool, '--no-color', 'benchmarks', old, new],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert '+1.0000' in done.stdout and 'net_ena' in done.stdout


def test_google_benchmark_says_which_turn_of_which_start():
    text = export.google_benchmark([result([metric('wc', values=[1e6] * 6, turns=2,
                                                   kind='emulated')])], None)
    assert [benchmark['label'] for benchmark in json.loads(text)['benchmarks']] == [
        'emulated, start %d, turn %d' % (start, turn) for start in (1, 2, 3) for turn in (1, 2)]


def test_github_action_benchmark(exported):
    """Its array: name, unit, value, and text of range and extra (its README, customBiggerIsBetter).
    """
    bigger, smaller = (json.loads(exported('github-action-benchmark', '--direction', way)
                                  .read_text()) for way in ('higher', 'lower'))
    assert [b['value'] for b in bigger] == [1.015e6, 5e6]
    assert [(b['value'], b['unit']) for b in smaller] == [(2.04, 'writes_per_packet')]
    for entry in bigger + smaller:
        assert set(entry) == {'name', 'unit', 'value', 'range', 'extra'}
        assert all(isinstance(entry[key], str) for key in set(entry) - {'value'})
    assert bigger[0]['range'] == '1e+06..1.05e+06 (95% of 6)'
    assert 'modelled' in bigger[1]['extra']


@pytest.mark.parametrize('name', ['github-action-benchmark', 'bmf'])
def test_of_several_runs_the_newest_counts(exported, name):
    """A name has one value there; which of two, would be chance."""
    old, new = (result([metric('wc', values=[value] * 6)]) for value in (7e6, 8e6))
    new['started'] = '2026-11-22T01:00:00Z'
    text = exported(name, results=(new, old)).read_text()
    assert '8000000.0' in text and '7000000.0' not in text


def test_otava(exported):
    """Its documentation: a CSV with a column of times and one for each metric, and a configuration
    that names them and the direction, 1 or -1."""
    rows = list(csv.DictReader(exported('otava-csv', results=(later(30), later(0))).open()))
    assert [row['time'] for row in rows] == ['2026-11-21T01:00:00Z', '2026-11-21T01:30:00Z']
    name = METRICS[0]['id']
    assert float(rows[0][name]) == 1.015e6
    # JSON is YAML
    config = json.loads(exported('otava-yaml').read_text())['tests']['dpdk-test-wc-perf']
    assert set(config['attributes']) | set(config['metrics']) | {'time'} == set(rows[0])
    assert config['metrics'][name] == {'column': name, 'direction': 1}
    assert config['metrics'][METRICS[1]['id']]['direction'] == -1


def test_bmf(exported):
    """Its documentation: benchmark, measure, value with lower_value and upper_value."""
    found = json.loads(exported('bmf').read_text())
    assert found[METRICS[0]['id'].removesuffix('/tx_rate')] == {
        'tx_rate-packets_per_second': {'value': 1.015e6, 'lower_value': 1e6,
                                       'upper_value': 1.05e6},
        'pcie_writes-writes_per_packet': {'value': 2.04, 'lower_value': 2.04,
                                          'upper_value': 2.04}}


# --- Tests ----------------------------------------------------------------------------------------

def test_junit(exported):
    failed = result([])
    failed.update(started='2026-11-22T01:00:00Z', status='refused', message='a page is not WC')
    xml = junitparser.JUnitXml.fromfile(str(exported('junit', results=(result(METRICS), failed))))
    first, second = xml
    verdicts = {'%s %s' % (case.classname, case.name): case.result for case in first}
    assert len(verdicts) == 4 # what is modelled has the name of what was measured
    skipped, = [r[0] for name, r in verdicts.items() if name.endswith('wc/uc/tx_rate')]
    assert isinstance(skipped, junitparser.Skipped) and skipped.message == 'a reason'
    error, = [case.result[0] for case in second]
    assert (error.message, error.type) == ('a page is not WC', 'refused')
    assert (xml.tests, xml.errors, xml.skipped) == (6, 1, 1)


def test_junit_is_xml_whatever_testpmd_said(exported):
    """XML has no word for most control characters, not even an escaped one."""
    failed = result([metric(usable=False, reasons=['a \x08 reason'])], cpu='a \x00CPU')
    failed.update(status='testpmd failed', message='Its last words:\r\n\x1b[0Jtestpmd> \ufffe\xe9')
    suite, = junitparser.JUnitXml.fromfile(str(exported('junit', results=(failed,))))
    error, skipped = (case.result[0] for case in suite)
    assert error.message.endswith('\ufffd[0Jtestpmd> \ufffd\xe9')
    assert skipped.message == 'a \ufffd reason'


def test_dts(exported, tmp_path):
    """Its results: a time, and for each frame size what was expected and measured."""
    expected = tmp_path / 'expected.json'
    expected.write_text(json.dumps(result([metric('wc', 'tx_rate', [1.2e6] * 6)])))
    found = json.loads(exported('dts', '--expected', expected).read_text())
    assert found['timestamp'] == '2026-11-21T01:00:00Z'
    (entry,) = found['results']
    assert entry == {'frame_size': 64, 'num_descriptors': None, 'expected_mpps': 1.2,
                     'measured_mpps': 1.015, 'performance_delta': pytest.approx(1.015 / 1.2 - 1),
                     'pass': False}
    done = subprocess.run([TOOL, 'export', '--to', 'dts', expected], stderr=subprocess.PIPE,
                          text=True, check=False)
    assert done.returncode == 2 and '--expected' in done.stderr


# --- Where it goes --------------------------------------------------------------------------------

@pytest.fixture(name='one')
def ones(tmp_path):
    path = tmp_path / 'one.json'
    path.write_text(json.dumps(result(METRICS, cpu='Prozessor \u4e2d')))
    return path


def put(out, one):
    return subprocess.run([TOOL, 'export', '--to', 'junit', '-o', out, one],
                          stderr=subprocess.PIPE, text=True, check=False)


def test_what_is_no_file_is_written_to(one, tmp_path):
    """As root, /dev/null would be a file from then on."""
    fifo = tmp_path / 'fifo'
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    assert put(fifo, one).returncode == 0
    assert stat.S_ISFIFO(os.stat(fifo).st_mode)
    assert os.read(reader, 65536).startswith(b'<testsuites')
    os.close(reader)


def test_a_link_stays_one(one, tmp_path):
    (tmp_path / 'folder').mkdir()
    there, link = tmp_path / 'folder' / 'there', tmp_path / 'link'
    there.write_text('old')
    link.symlink_to(there)
    assert put(link, one).returncode == 0
    assert link.is_symlink() and there.read_text().startswith('<testsuites')
    assert os.listdir(tmp_path / 'folder') == ['there']


def test_what_cannot_be_written_is_named(one, tmp_path):
    for out, why in (tmp_path, 'Is a directory'), (tmp_path / 'no' / 'x', 'No such file'):
        done = put(out, one)
        assert done.returncode == 2
        assert done.stderr.startswith('dpdk-wc-results: %s: %s' % (out, why))
    assert os.listdir(tmp_path) == ['one.json']


def test_a_locale_does_not_change_a_format(one):
    """XML that does not say is UTF-8; and a word that a terminal does not have is no fault."""
    few = {**os.environ, 'PYTHONIOENCODING': 'latin-1'}
    text = subprocess.run([TOOL, 'export', '--to', 'junit', one], env=few, stdout=subprocess.PIPE,
                          check=True).stdout
    assert 'Prozessor \u4e2d' in text.decode()
    shown = subprocess.run([TOOL, 'show', one], env=few, stdout=subprocess.PIPE, check=True).stdout
    assert b'Prozessor \\u4e2d' in shown

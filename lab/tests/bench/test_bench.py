# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark's results: every BAR page UC- in the plain and uc arms, exactly the range WC in the
wc arm, exchanged in one testpmd, every frame counted, and a result that follows the published
schema."""

import functools
import json
import subprocess

import pytest

ASKS = {}
RESULT = '/results/bench.json'
ARMS = pytest.mark.parametrize('arm', ['plain', 'uc', 'wc'])
# PCD is bit 4, PWT bit 3: the entry itself, not what the witness made of it.
TYPES = {'plain': ('UC-', 2), 'uc': ('UC-', 2), 'wc': ('WC', 1)}


def bench(guest, command, status=0):
    """The result of a run that ends with that status, and what it said."""
    got, said = guest.sh('rm -f %s; %s' % (RESULT, command), 300)
    assert got == status, said
    subprocess.run(['/src/app/wc-results/dpdk-wc-results', 'validate', '--strict',
                    guest.here(RESULT)], check=True)
    with open(guest.here(RESULT), encoding='utf-8') as f:
        return json.load(f), said


@functools.lru_cache(maxsize=None)
def quick(guest):
    return bench(guest, '/src/lab/guest/bench.sh --quick -- --repeats 1')


def of(guest, arm):
    return [(case, case[arm]) for case in quick(guest)[0]['cases']]


def test_devices_each_with_its_pmd(guest):
    cases = quick(guest)[0]['cases']
    assert [case['pmd'] for case in cases] == ['net_virtio', 'net_vmxnet3', 'net_e1000_igb_vf']
    assert [cases[0][key] for key in ('bar', 'offset', 'length')] == [4, 0x3000, 0x1000]


@ARMS
def test_types_are_what_the_page_tables_say(guest, arm):
    name, bits = TYPES[arm]
    for case, runs in of(guest, arm):
        assert (runs['memory_type'], runs['memory_type_source']) == (name, 'pte')
        assert {leaf['type'] for leaf in runs['leaves']} == {name}
        assert {int(leaf['pte'], 0) >> 3 & 3 for leaf in runs['leaves']} == {bits}
        assert sum(leaf['size'] for leaf in runs['leaves']) == case['length']
        assert set(runs['other_leaves']) == {'UC-'}


@ARMS
def test_all_frames_arrive(guest, arm):
    for _, runs in of(guest, arm):
        assert runs['counts_equal'] is True and runs['sent'] == runs['counted']
        assert len(runs['sent']) == 1 and runs['sent'][0] > 1000
        assert runs['counted_other'] == [0]


def test_arms_share_a_start(guest):
    result = quick(guest)[0]
    assert [[sample['start'] for metric in result['metrics'] if metric['case'] == case['id']
             for sample in metric['samples'] if metric['kind'] != 'modelled']
            for case in result['cases']] == [[number] * 5 for number in (1, 2, 3)]


def test_no_interval_from_one_start(guest):
    assert [case['ratio']['ci95'] for case in quick(guest)[0]['cases']] == [None] * 3


def test_emulation_is_not_taken_for_a_platform_that_honours_memory_types(guest):
    """By its times alone; on a loaded machine they can leave it undecided. Either is said."""
    result, said = quick(guest)
    environment = result['environment']
    if environment['hypervisor'] != 'TCGTCGTCGTCG':
        pytest.skip('this guest is not emulated: %s' % environment['hypervisor'])
    notice = {'no': 'the ratios mean nothing here',
              'unknown': 'until it is known, the ratios mean nothing'}[
                  environment['memory_types_honoured']]
    assert notice in said
    assert notice in guest.sh('dpdk-test-wc-perf --show ' + RESULT)[1]


DIRECTLY = ('dpdk-test-wc-perf --device $(lab-bind virtio) --range virtio-notify --mem 64 '
            '--warmup 0.1 --window 0.2 --repeats 1 --json ' + RESULT)


def test_check_says_that_it_is_ready(guest):
    """And what is not as good as it could be: this guest's CPUs are not isolated."""
    status, said = guest.sh('dpdk-test-wc-perf --check --device $(lab-bind virtio) '
                            '--range virtio-notify --mem 64 --json /results/check.json')
    with open(guest.here('/results/check.json'), encoding='utf-8') as f:
        found = json.load(f)
    assert (status, found['ready']) == (0, True), said
    assert {one['state'] for one in found['checks']} == {'ready', 'advice'}, said
    assert 'its kernel maps write-combined' in said and 'is not isolated' in said


def test_without_a_witness(guest):
    """As on a real machine: nobody outside looks, nobody counts."""
    case = bench(guest, "WC_WITNESS='' " + DIRECTLY)[0]['cases'][0]
    assert [(case[arm]['memory_type'], case[arm]['memory_type_source'])
            for arm in ('plain', 'uc', 'wc')] == \
        [('UC-', 'memtype_list'), ('UC-', 'kernel'), ('WC', 'kernel')]


def test_interrupted(guest):
    """It says so, and nothing is left: no testpmd, no file of its."""
    result, _ = bench(guest, r'''
. /src/lab/tests/lib.sh
BENCH --warmup 100 >/dev/null 2>/tmp/bench.log &
tool=$!
runs() { child=$(cat /proc/$tool/task/$tool/children) && [ -n "$child" ] &&
    [ -S /var/run/dpdk/wc-perf-$tool-0/dpdk_telemetry.v2 ]; }
await 60 runs || { cat /tmp/bench.log; exit 99; }
kill -TERM $tool
wait $tool
status=$?
[ ! -e "/proc/${child% }" ] || { echo "$child is left"; exit 98; }
[ ! -e /var/run/dpdk/wc-perf-$tool-0 ] || { echo "its files are left"; exit 97; }
trap - EXIT
exit $status'''.replace('BENCH', DIRECTLY), 7)
    assert result['status'] == 'interrupted'

# SPDX-License-Identifier: BSD-3-Clause
"""lab/run bench where it runs several times, and where writes cost something: what it starts, what
it keeps, and how it ends. (That a bench runs in such guests: bench/kernels, bench/releases.)"""

import contextlib
import json
import os
import types

import pytest

import main
import model
import test_model

STARTED = []
CASE = 'net_ena/1d0f:ec20/bar2+0x0+0x1000/txonly/frame64/burst32/queues1/cores1'


@pytest.fixture(name='lab')
def a_lab(tmp_path, monkeypatch):
    """Guests that are none: the bench in them takes no time, and 6.1's ends badly."""
    STARTED.clear()

    @contextlib.contextmanager
    def guest(args, suite):
        told = []

        def run(command, write, timeout):
            STARTED.append((args.kernel, suite, told, command.split()))
            result = test_model.result(uc=test_model.arm('UC-', 16, 0),
                                       wc=test_model.arm('WC', 0, 2))
            result['cases'][0]['id'] = CASE
            result['environment'].update(kernel=args.kernel, dpdk='DPDK of ' + suite)
            (tmp_path / 'bench.json').write_text(json.dumps(result))
            return 6 if args.kernel == '6.1' else 0
        yield types.SimpleNamespace(run=run, splats=lambda: [],
                                    witness=types.SimpleNamespace(bus=told.append))
    monkeypatch.setattr(main, 'start_guest', guest)
    monkeypatch.setattr(main, 'RESULT', str(tmp_path / 'bench.json'))
    monkeypatch.setattr(main, 'RESULTS', str(tmp_path))
    monkeypatch.setattr(main, 'surroundings', lambda accelerator: {
        'qemu': '', 'host_cpu': '', 'host_kernel': ''})
    monkeypatch.setattr(main.build, 'local_costs', lambda: None)
    monkeypatch.delenv('LAB_CHARTS', raising=False)
    return tmp_path


def test_one_is_one(lab):
    assert main.do_bench(['--device', 'all', '--', '--precision', '1%']) == 0
    (kernel, suite, told, command), = STARTED
    assert (kernel, suite, told) == ('6.12', 'trixie', [])
    assert command == ['/src/lab/guest/bench.sh', '--device', 'all', '--', '--precision', '1%']
    assert os.listdir(lab) == ['bench.json']


def test_each_release_under_each_kernel(lab, capfd):
    assert main.do_bench(['--kernel', '6.1', '--kernel', '6.12', '--dpdk', '22.11', '--dpdk',
                          '25.11', '--report']) == 6
    assert [(kernel, suite) for kernel, suite, _, _ in STARTED] == [
        ('6.1', 'bookworm'), ('6.1', 'forky'), ('6.12', 'bookworm'), ('6.12', 'forky')]
    assert sorted(os.listdir(lab)) == [
        'bench-6.1-22.11.json', 'bench-6.1-25.11.json', 'bench-6.12-22.11.json',
        'bench-6.12-25.11.json', 'report.html']
    said = capfd.readouterr().out
    for kernel in '6.1', '6.12':
        for suite in 'bookworm', 'forky':
            assert '\nDPDK of %s, kernel %s: ok\n' % (suite, kernel) in said
    assert 'DPDK of forky</td><td>6.12' in (lab / 'report.html').read_text()


def test_what_writes_cost_is_told_before_anything_runs(lab):
    assert main.do_bench(['--emulate', 'uc-100ns']) == 0
    (_, _, told, command), = STARTED
    costs = model.profiles()['uc-100ns']
    assert told == [['pace', '250000', '%d' % round(100 * 2.3 * 1000),
                     '%d' % round(costs.wc_ns * 2.3 * 1000)]]
    assert command[1] == '--emulated'
    result = json.loads((lab / 'bench.json').read_text())
    assert result['environment']['lab']['emulated'] == 'uc-100ns'
    with pytest.raises(main.LabError, match='not with --no-bus'):
        main.do_bench(['--emulate', '0', '--no-bus'])
    with pytest.raises(SystemExit):
        main.do_bench(['--emulate', 'somewhere'])

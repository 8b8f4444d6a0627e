# SPDX-License-Identifier: BSD-3-Clause
"""What scripts judge with (lab/tests/lib.sh): nothing that is missing is good enough."""

import subprocess
import time

import pytest


def verdicts(script):
    """[(verdict, name)] of a script, and its exit status."""
    done = subprocess.run(['bash', '-c', '. /src/lab/tests/lib.sh\n' + script], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          stdin=subprocess.DEVNULL, env={'results': 'w', 'PATH': '/usr/bin:/bin'})
    found = [line.split('\t')[1:3] for line in done.stdout.splitlines() if line.startswith('w\t')]
    return [(verdict, name) for verdict, name in found], done.returncode


@pytest.mark.parametrize('check', [
    'is a 1 2', 'is a "" 1', 'matches a "" b', 'matches a bc "^c"', 'at_least a 9 10',
    'at_least a "" 10', 'at_least a word 10', 'at_most a 11 10', 'at_most a "" 10',
    'at_most a word 10', 'not_ok a why'])
def test_what_fails(check):
    assert verdicts(check) == ([('not ok', 'a')], 1)


@pytest.mark.parametrize('check', [
    'is a "" ""', 'is a "1 2" "1 2"', 'matches a bc "^b"', 'at_least a 10 10', 'at_most a 10 10',
    'ok a'])
def test_what_passes(check):
    assert verdicts(check) == ([('ok', 'a')], 0)


def tap(text):
    return verdicts("tap /dev/stdin 'p: ' <<'END'\n%s\nEND\n" % text)


def test_tap_is_held_to_its_plan():
    assert tap('TAP version 13\n1..2\nok 1 - a\nok 2 b') == ([('ok', 'p: a'), ('ok', 'p: b')], 0)
    assert tap('1..2\nok 1 a') == ([('ok', 'p: a'), ('not ok', 'p: its plan')], 1)
    assert tap('ok 1 a') == ([('ok', 'p: a'), ('not ok', 'p: its plan')], 1)
    assert tap('') == ([('not ok', 'p: its plan')], 1)
    assert tap('1..2\nok 1 a\nok 3 c')[1] == 1
    assert tap('1..1\nnot ok 1 a') == ([('not ok', 'p: a')], 1)
    # Those that were skipped are no results.
    assert tap('1..2\nok 1 a # SKIP no such NIC\nok 2 b') == ([('ok', 'p: b')], 0)


def test_nobody_judges_otherwise():
    assert verdicts('result() { :; }; is() { ok "$1"; }; is a 1 2') == ([('not ok', 'a')], 1)


def test_waiting_ends_with_success_or_fails_at_the_limit():
    start = time.monotonic()
    assert verdicts('await 60 true; is a $? 0\nawait 2 false; is b $? 1') == \
        ([('ok', 'a'), ('ok', 'b')], 0)
    assert 0.9 < time.monotonic() - start < 30


def test_a_testpmd_that_does_not_start_or_ends_badly_is_a_failure(tmp_path):
    def of(program, script):
        path = tmp_path / 'dpdk-testpmd'
        path.write_text('#!/bin/bash\n' + program, encoding='utf-8')
        path.chmod(0o755)
        return verdicts('PATH=%s:$PATH\ntestpmd_log=%s/log\n%s' % (tmp_path, tmp_path, script))
    up = 'echo Press enter to exit; read -r line; '
    assert of('exit 1', 'testpmd_start -- || ok returned') == \
        ([('not ok', 'testpmd starts'), ('ok', 'returned')], 1)
    assert of(up + 'exit 1', 'testpmd_start -- && testpmd_stop') == \
        ([('not ok', 'testpmd ends well')], 1)
    assert of(up + 'exit 0', 'testpmd_start -- && testpmd_stop; ok a') == ([('ok', 'a')], 0)
    # One that is gone when it is to be stopped
    assert of('echo Press enter to exit',
              'testpmd_start -- && { wait $testpmd; testpmd_stop; }; ok a') == ([('ok', 'a')], 0)

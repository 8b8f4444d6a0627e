# SPDX-License-Identifier: BSD-3-Clause
"""The runner itself, on scripts that would like to pass: each is run by lab/run test's own code, in
a guest that is this machine."""

import glob
import subprocess
import sys

import pytest

import runner

STAGE = 'test'

LIB = '. /src/lab/tests/lib.sh\n'
DRIVER = '''
import glob, os, signal, subprocess, sys
import main
import runner
from guest import Guest, LabError

class Here(Guest):
    """Runs jobs where we are, and complains as a kernel when a job has asked for it."""
    bound, idle, patience, boot_seconds, results = '', '', 1, 1, '/results'
    def __init__(self):
        self.complaints, self.dead, self.left = [], False, []
    def run(self, script, write, timeout=0):
        if self.dead:
            raise LabError('the guest died (finish the command)')
        if script == runner.BASELINE.replace('BOUND', '').replace('IDLE', ''):
            write('\\n'.join(self.left).encode())
            return 0
        done = subprocess.run(['bash', '-c', script], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        if write:
            write(done.stdout)
        if b'please crash' in done.stdout:
            self.dead = True
            raise LabError('the guest died (finish the command)')
        if b'please leave something' in done.stdout:
            self.left = ['PAT: write-combining']
        if b'please complain' in done.stdout:
            self.complaints = ['BUG: something']
        return done.returncode
    def splats(self):
        found, self.complaints = self.complaints, []
        return found
    def busy(self):
        return 0
    def close(self):
        pass

class Machines(runner.Machines):
    def boot(self, *machine):
        if 'refuse' in machine:
            raise LabError('QEMU does not start: -device refuse: no such device (exit status 1)')
        if 'stumble' in machine:
            raise ValueError('nobody thought of this')
        return Here()

class Lab(runner.Lab):
    python, junit = [sys.argv[1]], sys.argv[1] + '/junit.xml'
    took = sys.argv[1] + '/times'
    def tests(self, session):
        self.machines = Machines()
        for path in sorted(glob.glob(sys.argv[1] + '/*.sh')):
            asks, name = runner.Asks.of_script(path), 'x/' + os.path.basename(path)[:-3]
            for machine in asks.machines():
                yield runner.Script.make(session, name + runner.where(machine), script=path,
                                         asks=asks, machine=machine,
                                         stage=asks.stage_on(machine), machines=self.machines)

signal.signal(signal.SIGTERM, main.stop)
sys.exit(runner.do_test(sys.argv[2:], Lab))
'''


@pytest.fixture
def lab(tmp_path):
    def run(scripts, *args):
        """Status and output of a run of these {name: text}."""
        for name, text in scripts.items():
            (tmp_path / name).write_text(text, encoding='utf-8')
        done = subprocess.run([sys.executable, '-c', DRIVER, str(tmp_path), *args],
                              cwd='/src/lab/host', stdout=subprocess.PIPE, check=False,
                              stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout
    return run


def closing(output):
    return output.splitlines()[-1]


def test_good(lab):
    status, output = lab({'a.sh': LIB + 'plan 2\nok one\nis two 2 2\n'})
    assert (status, closing(output)) == (0, '3 passed, 0 failed'), output
    assert 'ok x/a: one\n' in output and 'ok x/a\n' in output


def test_bad(lab):
    status, output = lab({'a.sh': LIB + 'plan 2\nok one\necho this is why\nis two 2 3\n'})
    assert (status, closing(output)) == (1, '2 passed, 1 failed'), output
    assert "not ok x/a: two - got '2', not '3'\n    this is why" in output
    assert 'again: lab/run test -k x/a' in output and '/console.log' in output


def test_skip_says_why(lab):
    status, output = lab({'a.sh': LIB + 'plan 2\nok one\nskip two "no such NIC"\n'})
    assert (status, closing(output)) == (0, '2 passed, 0 failed, 1 skipped'), output
    assert 'skip x/a: two - no such NIC' in output and 'skipped: x/a: two - no such NIC' in output


NO_PASS = [
    (LIB + 'plan 2\nok one\n', '1 results of 2'),
    (LIB + 'plan 1\nok one\nok two\n', '2 results of 1'),
    (LIB + 'ok one\n', 'it had no plan'),
    ('echo ok\necho ok 1 - one\n', 'it had no plan, and 0 results'),
    (LIB + 'plan 1\necho ok one\n', '0 results of 1'),
    (LIB + 'plan 1\nbash -c "echo \\"$results\\"; printf \\"ok\\\\tone\\\\n\\""\n',
     '0 results of 1'),
    (LIB + 'plan 1\nok one\ntrap - EXIT\nexit 1\n', 'exit status 1 with 0 failures'),
    (LIB + 'plan 1\nok one\nkill -9 $$\n', 'with 0 failures'),
    (LIB + 'plan 1\nok one\necho please leave something\n',
     'it leaves processes, devices or memory'),
    (LIB + 'plan 1\nok one\necho please complain\n', 'the kernel complained'),
    (LIB + 'plan 1\nok one\necho please crash\n', 'the guest died'),
    ('# device: refuse\n' + LIB + 'plan 1\nok one\n',
     'no guest: QEMU does not start: -device refuse'),
    ('', 'it had no plan'),
    ('if\n', 'it had no plan'),
]


def test_what_is_no_pass(lab):
    # A guest each: the header makes them differ.
    status, output = lab({'a%02d.sh' % number: '# append: %d\n' % number + text
                          for number, (text, _) in enumerate(NO_PASS)})
    assert status == 1 and ', %d failed' % len(NO_PASS) in closing(output), output
    for number, (_, why) in enumerate(NO_PASS):
        verdict, = [line for line in output.splitlines() if ' x/a%02d' % number in line and
                    line.startswith('not ok ')]
        assert why in verdict, output


def test_programs_do_not_get_the_word(lab):
    status, output = lab({'a.sh': LIB + 'plan 1\nis "the word" "$(env | grep -c results=)" 0\n'})
    assert status == 0, output


def test_the_next_one_does_not_get_a_dead_guest(lab):
    status, output = lab({'a.sh': LIB + 'plan 1\necho please crash\n',
                          'b.sh': LIB + 'plan 1\nok one\n'})
    assert (status, closing(output)) == (1, '0 passed, 2 failed'), output
    assert 'not ok x/b - no guest: the guest died' in output


def test_no_guest_for_a_reason_nobody_thought_of(lab):
    script = '# device: stumble\n' + LIB + 'plan 1\nok one\n'
    status, output = lab({'a.sh': script, 'b.sh': script})
    assert (status, closing(output)) == (1, '0 passed, 2 failed'), output
    assert 'not ok x/b - no guest: nobody thought of this' in output


def test_a_run_that_is_stopped_ends(lab):
    status, output = lab({'a.sh': LIB + 'plan 1\nkill $PPID\nsleep 1\nok one\n',
                          'b.sh': LIB + 'plan 1\nok one\n'})
    assert status == 1 and 'x/b' not in output, output


# Each waits for the other, in a guest of its own.
TOGETHER = '# append: %s\n' + LIB + '''
plan 2
touch DIR/%s.runs
await 60 test -e DIR/%s.runs
ok both
'''


def together(tmp_path, last):
    return {'%s.sh' % name: (TOGETHER % (name, name, other)).replace('DIR', str(tmp_path)) +
            last for name, other in ('ab', 'ba')}


def test_two_guests_at_once(lab, tmp_path):
    status, output = lab(together(tmp_path, 'is two 2 3\n'))
    assert (status, closing(output)) == (1, '4 passed, 2 failed'), output
    for name in 'ab':
        assert 'again: lab/run test -k x/%s\n' % name in output, output
        assert output.count('ok x/%s: both\n' % name) == 1, output
    from results import junit
    with open(tmp_path / 'junit.xml', encoding='utf-8') as f:
        assert sorted(case[1:3] for case in junit(f.read())) == [
            ('both', 'ok'), ('both', 'ok'), ('two', 'not ok'), ('two', 'not ok'),
            ('x.a', 'ok'), ('x.b', 'ok')]


def test_the_second_process_dies(lab, tmp_path):
    status, output = lab(together(tmp_path, '''
parent=$(awk '/^PPid/ { print $2 }' /proc/$PPID/status)
! cmp -s /proc/$PPID/cmdline /proc/$parent/cmdline || kill -9 $PPID
ok done
'''))
    assert (status, closing(output)) == (1, '3 passed, 1 failed'), output
    assert 'the second process ended before its tests did' in output, output


def test_no_test_is_a_failure(lab):
    status, output = lab({})
    assert (status, closing(output)) == (1, '0 passed, 0 failed'), output


def test_unknown_headers_are_not_ignored(lab):
    status, output = lab({'a.sh': '# stage: sometimes\n' + LIB + 'plan 1\nok one\n'})
    assert status == 1 and 'no such stage' in output, output
    status, output = lab({'a.sh': '# suites: trixie\n# long: woody\n' + LIB + 'plan 1\nok one\n'})
    assert status == 1 and 'it does not run on woody' in output, output


def test_python(lab):
    status, output = lab({'test_a.py': 'def test_good():\n    pass\n\n'
                                       'def test_bad():\n    assert [1, 2] == [1, 3]\n'})
    assert (status, closing(output)) == (1, '1 passed, 1 failed'), output
    assert 'assert [1, 2] == [1, 3]' in output and 'At index 1 diff: 2 != 3' in output


def test_python_that_does_not_load(lab):
    status, output = lab({'test_a.py': 'import nonsense\n', 'a.sh': LIB + 'plan 1\nok one\n'})
    assert status == 1 and 'cannot be collected' in output, output


def test_python_in_a_guest_is_held_to_what_scripts_are(lab):
    good = 'ASKS = {}\ndef test_one(guest):\n    assert guest.run("%s", None) == 0\n'
    assert lab({'test_a.py': good % 'true'})[0] == 0
    for asks in 'complain', 'leave something':
        status, output = lab({'test_a.py': good % ('echo please ' + asks)})
        assert status == 1, output


def test_choice(lab):
    scripts = {'a.sh': LIB + 'plan 1\nok one\n',
               'b.sh': '# stage: long\n' + LIB + 'plan 1\nok one\n'}
    assert closing(lab(scripts)[1]) == '2 passed, 0 failed'
    assert closing(lab(scripts, '--long')[1]) == '4 passed, 0 failed'
    assert closing(lab(scripts, '--long', '-k', 'x/b')[1]) == '2 passed, 0 failed'
    assert lab(scripts, '-k', 'nothing')[0] == 1
    assert closing(lab(scripts, '--exactly', 'x/b')[1]) == '2 passed, 0 failed'


def test_choice_of_machines(lab):
    scripts = {'a.sh': '# suites: trixie bookworm\n# kernel: 6.12 6.1\n# long: bookworm 6.1\n' +
                       LIB + 'plan 1\nok one\n'}
    assert closing(lab(scripts)[1]) == '2 passed, 0 failed'
    status, output = lab(scripts, '--long')
    assert closing(output) == '8 passed, 0 failed' and 'ok x/a@6.1@bookworm: one' in output, output
    status, output = lab(scripts, '--long', '-k', 'x/a@6.1@bookworm')
    assert closing(output) == '2 passed, 0 failed' and 'ok x/a@6.1@bookworm: one' in output, output


def test_no_two_machines_share_a_folder():
    machines = {machine for path in glob.glob(runner.LAB + '/tests/*/*.sh')
                for machine in runner.Asks.of_script(path).machines()}
    assert len(machines) > 20
    assert len({runner.folder(*machine) for machine in machines}) == len(machines)
    one = next(iter(machines))
    for number in range(len(one)):
        other = one[:number] + (one[number] + 'x',) + one[number + 1:]
        assert runner.folder(*other) != runner.folder(*one)


def test_times(lab, tmp_path):
    spin = 'plan 1\nend=$((SECONDS + 2))\nwhile ((SECONDS < end)); do :; done\nok one\n'
    _, output = lab({'a.sh': LIB + spin, 'b.sh': LIB + 'plan 1\nok two\n'})
    with open(tmp_path / 'times', encoding='utf-8') as f:
        times = f.read()
    took, _, busy, _, name = times.split('\n')[0].split()
    assert name == 'x/a' and float(took) >= 1 and float(busy) >= 0.1, times
    assert len(times.splitlines()) == 2 and times in output, output


def test_junit(lab, tmp_path):
    lab({'a.sh': LIB + 'plan 2\nok one\nis two 2 3\n'})
    from results import junit
    with open(tmp_path / 'junit.xml', encoding='utf-8') as f:
        assert sorted(case[1:3] for case in junit(f.read())) == [
            ('one', 'ok'), ('two', 'not ok'), ('x.a', 'ok')]

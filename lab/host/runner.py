# SPDX-License-Identifier: BSD-3-Clause
"""lab/run test: builds, unit tests, and lab/tests/*.sh in guests. lab/README.md has the rules."""

import argparse
import difflib
import glob
import json
import os
import re
import subprocess
import sys
import time

import arm64
import build
import system
from guest import Guest, LabError, say

STAGES = ('fast', 'test', 'long')
# What scripts and TAP producers say of one test.
RESULT = re.compile(r'(?P<verdict>ok|not ok|skip)\b *(\d+\b)? *-? *(?P<name>.*)')

# Everything a script may find changed by the one before it. All devices are with vfio-pci (their
# drivers' mappings would come and go in the list of memory types), nobody holds one.
BASELINE = '''
for pid in $(pgrep -x 'dpdk-.*' 2>/dev/null); do echo "left behind: $(ps -o args= $pid)"; kill -9 $pid; done
sleep 0.1
for device in DEVICES; do
    lab-bind $device >/dev/null || echo "cannot bind $device"
done
rm -rf /var/run/dpdk /dev/hugepages/rtemap_* 2>/dev/null
grep -so 'PAT:.*' /sys/kernel/debug/x86/pat_memtype_list | sort
'''


class Results:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], 0

    def add(self, verdict, name, why='', output=''):
        if verdict == 'ok':
            self.passed += 1
        elif verdict == 'skip':
            self.skipped += 1
        else:
            verdict = 'not ok'
            self.failed.append(name)
        print('%s %s%s' % (verdict, name, why and ' - ' + why), flush=True)
        if verdict == 'not ok' and output:
            print('\n'.join('    ' + line for line in output.splitlines()[-60:]), flush=True)

    def last_line(self):
        line = '%d passed, %d failed' % (self.passed, len(self.failed))
        return line + (', %d skipped' % self.skipped if self.skipped else '')


class Script:
    """One of lab/tests/*.sh and what its header asks for."""
    KEYS = {'modules': 'patched', 'append': '', 'stage': 'test', 'suites': 'trixie',
            'timeout': '120', 'device': '', 'bus': '', 'accel': '',
            'kernel': build.DEFAULT_KERNEL}

    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)[:-len('.sh')]
        self.asks = dict(self.KEYS)
        with open(path, encoding='utf-8') as f:
            for line in f:
                if not line.startswith('#'):
                    break
                match = re.match(r'# (\w+): *(.*?) *$', line)
                if match and match.group(1) in self.KEYS:
                    self.asks[match.group(1)] = match.group(2)
        if self.asks['stage'] not in STAGES:
            raise LabError('%s: no such stage: %s' % (path, self.asks['stage']))

    def machine(self, suite, kernel):
        """Scripts with the same machine share a guest."""
        return (suite, self.asks['modules'], self.asks['append'], self.asks['device'],
                self.asks['bus'], self.asks['accel'], kernel)


class Reporter:
    """Takes what a script writes; what it says of its tests is reported at once."""

    def __init__(self, results, name, suffix=''):
        self.results, self.name, self.suffix = results, name, suffix
        self.lines, self.verdicts, self.rest = [], [], b''

    def __call__(self, data):
        *complete, self.rest = (self.rest + data).split(b'\n')
        for line in complete:
            line = line.decode('utf-8', 'replace')
            self.lines.append(line)
            result = parse(line)
            if result:
                verdict, name, why = result
                self.verdicts.append(verdict)
                self.results.add(verdict, '%s: %s%s' % (self.name, name, self.suffix), why,
                                 str(self))
                self.lines.clear()

    def __str__(self):
        return '\n'.join(self.lines)

    def ended(self, status):
        """The script has: no failure and no silence goes unnoticed."""
        if self.rest:
            self(b'\n')
        name = self.name + self.suffix
        if status and 'not ok' not in self.verdicts:
            self.results.add('not ok', name, 'exit status %d' % status, str(self))
        elif not self.verdicts:
            self.results.add('not ok', name, 'said nothing', str(self))


def parse(line):
    """(verdict, name, reason) of a line of a script's output, or None."""
    match = RESULT.fullmatch(line.rstrip())
    if not match:
        return None
    verdict, name, why = match['verdict'], match['name'], ''
    skip = re.search(r' *# *SKIP\b *(.*)', name, re.I)
    if skip:
        verdict, why, name = 'skip', skip.group(1), name[:skip.start()]
    elif verdict != 'ok' and ' - ' in name:
        name, why = name.split(' - ', 1)
    return verdict, name or '?', why


class Run:
    def __init__(self, level, only):
        self.level, self.only = level, only
        self.results = Results()

    def wanted(self, name):
        return not self.only or self.only in name

    def upto(self, stage):
        return STAGES.index(stage) <= STAGES.index(self.level)

    # --- builds and unit tests ------------------------------------------------------------------

    def lab_units(self):
        for test in sorted(glob.glob('/src/lab/host/test_*.py')):
            done = subprocess.run([sys.executable, '-m', 'unittest', '-v', os.path.basename(test)],
                                  cwd='/src/lab/host', stdout=subprocess.PIPE, check=False,
                                  stderr=subprocess.STDOUT, text=True)
            found = re.findall(r'^test_(\w+) .*\.\.\. (ok|FAIL|ERROR|skipped.*)$', done.stdout, re.M)
            for name, verdict in found:
                self.results.add({'ok': 'ok'}.get(verdict, 'skip' if verdict[0] == 's' else 'not ok'),
                                 'lab: %s' % name.replace('_', ' '), output=done.stdout)
            if not found or (done.returncode and all(v == 'ok' for _, v in found)):
                self.results.add('not ok', os.path.basename(test), output=done.stdout)

    def meson(self, name, *options, env=None, suite=None):
        """One build and its unit tests."""
        if not self.wanted('build ' + name):
            return
        start = time.monotonic()
        try:
            path = build.meson(name, *options, env=env, suite=suite)
        except LabError as error:
            self.results.add('not ok', 'build ' + name, output=str(error))
            return
        self.results.add('ok', 'build ' + name, '%.0f s' % (time.monotonic() - start))
        command = ['meson', 'test', '-C', path, '--no-rebuild', '--print-errorlogs']
        with build.locked('build-' + os.path.basename(path)):
            done = subprocess.run(build.in_suite(suite, command), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                                  errors='replace', check=False, env={**os.environ, **(env or {})})
            try:
                with open(path + '/meson-logs/testlog.json', encoding='utf-8') as f:
                    tests = [json.loads(line) for line in f]
            except FileNotFoundError:
                tests = []
        for test in tests:
            verdict = {'OK': 'ok', 'EXPECTEDFAIL': 'ok', 'SKIP': 'skip'}.get(test['result'], 'not ok')
            self.results.add(verdict, '%s: %s' % (name, test['name'].split(' / ')[-1]),
                             output=test.get('stdout', '') + test.get('stderr', ''))
        if done.returncode and all(test['result'] in ('OK', 'SKIP') for test in tests):
            self.results.add('not ok', 'unit tests ' + name, output=done.stdout)

    def series(self):
        """What is claimed of each kernel series, patch by patch."""
        for name in build.kernels():
            self.check('kernel-patch ' + name, lambda: build.kernel(name))
        for name in arm64.LAYERS:
            self.check('kernel-patch %s arm64' % name, lambda: arm64.kernel(name), '--arch', 'arm64')

    def check(self, label, kernel, *options):
        """Found out once for what it depends on: here, or by who recorded it in the tree (the
        checks of all series take nine minutes)."""
        if not self.wanted(label):
            return
        folder = '/src/kernel-patch/'

        def make(out):
            say('checking the series for %s, patch by patch (2 minutes)' % kern.version)
            command = [folder + 'check', '--source', kern.source, '--headers', kern.headers,
                       '--series', kern.patches, *options]
            output = build.run(build.in_suite(kern.suite, command), folder + 'check')
            with open(out, 'w', encoding='utf-8') as f:
                f.write(output)
        try:
            kern = kernel()
            if not os.path.isdir(kern.patches):
                return
            inputs = [folder + name for name in ('apply', 'build', 'check', 'regenerate')]
            key = build.digest([kern.version], [*inputs, kern.patches])
            with open(folder + 'checked', encoding='utf-8') as f:
                unchanged = '%s: %s\n' % (label, key) in f
            if unchanged and not self.only and not self.upto('long'):
                self.results.add('ok', label + ': unchanged since all its patches were checked')
                return
            path = build.cached(label.replace(' ', '-'), key, make)
            with open(path, encoding='utf-8') as f:
                output, good = f.read(), True
            with open('/results/checked', 'a', encoding='utf-8') as f:
                f.write('%s: %s\n' % (label, key))
        except LabError as error: # which is not cached
            output, good = str(error), False
        found = [result for result in map(parse, output.splitlines()) if result]
        for verdict, name, why in found:
            self.results.add(verdict, '%s: %s' % (label, name), why, output)
        if not good and all(verdict == 'ok' for verdict, _, _ in found):
            self.results.add('not ok', label, output=output)

    def builds(self):
        self.lab_units()
        self.meson('gcc')
        if not self.upto('test'):
            return
        self.meson('clang', env={'CC': 'clang'})
        self.meson('asan', '-Db_sanitize=address,undefined', '-Db_lundef=false',
                   '--buildtype=debugoptimized',
                   env={'ASAN_OPTIONS': 'detect_leaks=1', 'UBSAN_OPTIONS': 'halt_on_error=1'})
        self.series()
        self.fuzz(600 if self.upto('long') else 60)
        for suite, root in build.suites().items():
            if suite in ('backports', *arm64.LAYERS.values()):
                continue # kernels, not a release of DPDK; their tests fail where it was not made
            if root:
                self.meson('gcc-' + suite, suite=suite)
            else:
                self.results.add('not ok', 'root file system of ' + suite, 'see above')

    def fuzz(self, seconds):
        """What a hostile guest may send to the ENA model: first what was found before."""
        name = 'ena: %d s of hostile input' % seconds
        if not self.wanted('fuzz ena'):
            return
        new = '/results/fuzz'
        os.makedirs(new + '/found', exist_ok=True)
        done = subprocess.run([build.ena_fuzzer(), '-max_total_time=%d' % seconds, '-len_control=0',
                               '-max_len=1024', '-timeout=20', '-artifact_prefix=%s/' % new,
                               '-verbosity=0', '-print_final_stats=1', new + '/found',
                               '/src/lab/ena/fuzz/corpus'],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              stdin=subprocess.DEVNULL, errors='replace', check=False)
        runs = re.search(r'number_of_executed_units: (\d+)', done.stdout)
        good = done.returncode == 0 and runs and int(runs.group(1)) > 1000
        self.results.add('ok' if good else 'not ok', name, '%s inputs' % (runs and runs.group(1)),
                         output=done.stdout)

    # --- guests ---------------------------------------------------------------------------------

    def groups(self):
        """{machine: [script]}, the usual machine first."""
        groups = {}
        for path in sorted(glob.glob('/src/lab/tests/*/*.sh')):
            script = Script(path)
            if not self.upto(script.asks['stage']) or not self.wanted(script.name):
                continue
            for suite in script.asks['suites'].split():
                if suite == 'trixie' or build.suites().get(suite):
                    for kernel in script.asks['kernel'].split():
                        groups.setdefault(script.machine(suite, kernel), []).append(script)
        return groups

    def guests(self):
        for machine, scripts in self.groups().items():
            suite, variant, append, device, bus, accel, kernel = machine
            label = '%s modules%s%s%s' % (
                variant, append and ', ' + append, '' if suite == 'trixie' else ', userland of ' + suite,
                '' if kernel == build.DEFAULT_KERNEL else ', kernel ' + kernel)
            say('guest with %s: %s' % (label, ' '.join(script.name for script in scripts)))
            # A name that tells the same test in two guests apart.
            unusual = [append, suite.replace('trixie', ''),
                       kernel != build.DEFAULT_KERNEL and 'kernel ' + kernel]
            suffix = ' (%s)' % ', '.join(filter(None, unusual)) if any(unusual) else ''
            console = '/results/console-%d.log' % Guest.count
            try:
                plugin, problem = build.bus_plugin() if bus else (None, None)
                if problem:
                    self.results.add('skip', ' '.join(script.name for script in scripts), problem)
                    continue
                if bus == 'kernel':
                    plugin += ',kernel=on'
                with Guest(**build.machine('tcg' if bus else accel or 'auto', variant, kernel),
                           plugin=plugin, modules=build.modules(variant, kernel),
                           install=build.install(False, suite, kernel),
                           append=append, userland=build.suites().get(suite),
                           devices=device.split(), console=console) as guest:
                    guest.wait_ready()
                    self.results.add('ok', 'boot with ' + label, '%.1f s' % guest.boot_seconds)
                    for script in scripts:
                        self.script(guest, script, suffix)
            except LabError as error:
                self.results.add('not ok', 'boot or keep running with ' + label, output=str(error))

    def arm64_groups(self):
        groups = {}
        for path in sorted(glob.glob('/src/lab/tests/arm64/*.sh')):
            script = Script(path)
            script.name = 'arm64/' + script.name
            if self.upto(script.asks['stage']) and self.wanted(script.name):
                groups.setdefault(script.asks['modules'], []).append(script)
        return groups

    def arm64_guests(self):
        for variant, scripts in self.arm64_groups().items():
            label = 'arm64, %s modules' % variant
            say('guest with %s: %s' % (label, ' '.join(script.name for script in scripts)))
            try:
                with arm64.Arm64Guest(variant, '/results/console-%d.log' % Guest.count) as guest:
                    guest.wait_ready()
                    self.results.add('ok', 'boot with ' + label, '%.1f s' % guest.boot_seconds)
                    for script in scripts:
                        self.script(guest, script, '')
            except LabError as error:
                self.results.add('not ok', 'boot or keep running with ' + label, output=str(error))

    def script(self, guest, script, suffix):
        start, write = time.monotonic(), Reporter(self.results, script.name, suffix)
        before = self.baseline(guest)
        try:
            status = guest.run('. %s\n' % script.path, write, float(script.asks['timeout']))
        except LabError as error:
            raise LabError('%s; %s had said:\n%s' % (error, script.name, write)) from None
        write.ended(status)
        name = script.name + suffix
        after = self.baseline(guest)
        if before != after:
            self.results.add('not ok', name + ': leaves everything as it was',
                             'processes, devices or memory types differ',
                             '\n'.join(difflib.unified_diff(before, after, lineterm='', n=0)))
        splats = guest.splats()
        if splats:
            self.results.add('not ok', name + ': kernel has no complaint', splats[0],
                             '\n'.join(splats))
        say('%s took %.0f s' % (name, time.monotonic() - start))

    def stability(self, boots=20):
        """QEMU must not crash while DPDK probes (see lab/README.md)."""
        name = '%d boots in a row, testpmd on three devices in each' % boots
        if not self.upto('long') or not self.wanted('boots'):
            return
        for number in range(1, boots + 1):
            out = []
            try:
                with Guest(**build.machine('auto'), install=build.install(False)) as guest:
                    guest.wait_ready()
                    status = guest.run('. /src/lab/tests/lab/boots\n', out.append, 120)
                    if status or guest.splats():
                        raise LabError(b''.join(out).decode('utf-8', 'replace'))
                    say('boot %d of %d: %.1f s' % (number, boots, guest.boot_seconds))
            except LabError as error:
                self.results.add('not ok', name, 'boot %d' % number, str(error))
                return
        self.results.add('ok', name)

    def installer(self):
        for suite in system.systems(): # lab/run made those that are wanted
            system.play(self.results, lambda name: Reporter(self.results, name), suite)

    @staticmethod
    def baseline(guest):
        out = []
        guest.run(BASELINE.replace('DEVICES', guest.bound), out.append, Guest.PATIENCE)
        return b''.join(out).decode('utf-8', 'replace').splitlines()


def do_test(argv):
    parser = argparse.ArgumentParser(prog='lab/run test', add_help=False)
    level = parser.add_mutually_exclusive_group()
    level.add_argument('--fast', dest='level', action='store_const', const='fast', default='test')
    level.add_argument('--long', dest='level', action='store_const', const='long')
    parser.add_argument('--only', default='')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--record', action='store_true')
    args = parser.parse_args(argv)
    run = Run(args.level, args.only)
    if run.upto('long'):
        build.ENA_FLAGS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined']
    if args.list:
        for (suite, variant, append, *_, kernel), scripts in run.groups().items():
            print('guest: %s, kernel %s, %s modules%s' %
                  (suite, kernel, variant, append and ', ' + append))
            for script in scripts:
                print('    ' + script.name)
        for variant, scripts in run.arm64_groups().items():
            print('guest: arm64, %s modules' % variant)
            for script in scripts:
                print('    ' + script.name)
        for suite in system.systems():
            print('installed system of %s: installer' % suite)
        return 0
    run.builds()
    run.guests()
    run.arm64_guests()
    run.stability()
    run.installer()
    print(run.results.last_line(), flush=True)
    return 1 if run.results.failed or not run.results.passed else 0

# SPDX-License-Identifier: BSD-3-Clause
"""lab/run test: pytest with the lab's own kinds of tests (lab/README.md, "Writing a test").

    host/test_*.py          the lab's own parts, on the host     pytest's
    results/test_*.py       dpdk-wc-results                      pytest's
    unit/BUILD              builds, and their unit tests         Unit
    unit/dpdk-RELEASE       those of the series for DPDK         Dpdk
    series/KERNEL           the kernel series, patch by patch    Series
    ena/fuzz                hostile input for the ENA model      Fuzz
    TOPIC/NAME              lab/tests/TOPIC/NAME.sh in a guest   Script, and pytest's test_NAME.py
    lab/boots               many boots in a row                  Boots
    installer/SUITE         kernel modules, on an installed      Installed
    packages/SUITE          system, and all packages
    mutants/NAME            lab/mutants/NAME.patch               Mutant

Tests that ask for the same guest share it, two guests run at once (lanes.py). What a test says of
its parts are results of their own.
"""

import argparse
import difflib
import glob
import itertools
import os
import re
import subprocess
import time

import pytest
from _pytest._io import TerminalWriter

import arm64
import build
import lanes
import mutants
import system
from guest import Guest, LabError, say
from results import junit, tap

STAGES = ('fast', 'test', 'long')
LAB = '/src/lab'
RESULTS = '/src/app/wc-results/test'

# Everything a script may find changed by the one before it. Devices are with vfio-pci (their
# drivers' mappings would come and go in the list of memory types) or with nobody, nobody holds one.
BASELINE = '''
for pid in $(pgrep -x 'dpdk-.*' 2>/dev/null); do
    echo "left behind: $(ps -o args= $pid)"
    kill -9 $pid
    while [ -d /proc/$pid ]; do sleep 0.1; done
done
for device in BOUND; do
    lab-bind $device >/dev/null || echo "cannot bind $device"
done
for device in IDLE; do
    lab-bind -d none $device >/dev/null || echo "cannot unbind $device"
done
rm -rf /var/run/dpdk /dev/hugepages/rtemap_* 2>/dev/null
grep -so 'PAT:.*' /sys/kernel/debug/x86/pat_memtype_list | sort
'''


class Failed(Exception):
    """A test as a whole has failed. The first line says why, the others are what it had said."""


class Asks:
    """What a test in a guest asks for: the header of a script, ASKS of a Python module."""
    KEYS = {'modules': 'patched', 'append': '', 'stage': 'test', 'suites': 'trixie',
            'timeout': '120', 'device': '', 'bus': '', 'accel': '', 'dpdk': '',
            'nodes': '1', 'kernel': build.DEFAULT_KERNEL, 'long': '', 'arch': 'x86'}

    def __init__(self, where, asks):
        self.__dict__.update(self.KEYS)
        for key, value in asks.items():
            if key not in self.KEYS:
                raise LabError('%s: asks for %s; known: %s' % (where, key, ' '.join(self.KEYS)))
            setattr(self, key, str(value))
        if self.stage not in STAGES:
            raise LabError('%s: no such stage: %s' % (where, self.stage))
        for word in self.long.split():
            if word not in self.suites.split() + self.kernel.split():
                raise LabError('%s: it does not run on %s' % (where, word))

    @classmethod
    def of_script(cls, path):
        asks = {}
        with open(path, encoding='utf-8') as f:
            for line in f:
                if not line.startswith('#'):
                    break
                match = re.match(r'# ([a-z]+):(?: +(.*?))? *$', line)
                if match and match.group(1) in cls.KEYS:
                    asks[match.group(1)] = match.group(2) or ''
        if '/arm64/' in path:
            asks['arch'] = 'arm64'
        return cls(path, asks)

    def machines(self):
        """Each of which the test runs on, once."""
        return [(self.arch, suite, self.modules, self.append, self.device, self.bus, self.accel,
                 self.dpdk, self.nodes, kernel)
                for suite in self.suites.split() for kernel in self.kernel.split()]

    def stage_on(self, machine):
        """On some it may be tested in --long only: all on those that are built only there."""
        _, suite, *_, kernel = machine
        built, *_ = Unit.BUILDS.get('gcc-' + suite, Unit.BUILDS['gcc'])
        late = {suite, kernel} & set(self.long.split())
        return max(self.stage, built, 'long' if late else 'fast', key=STAGES.index)


def where(machine):
    """What tells the same test in two guests apart."""
    _, suite, *_, kernel = machine
    return ('' if kernel == build.DEFAULT_KERNEL else '@' + kernel) + \
        ('' if suite == 'trixie' else '@' + suite)


def folder(*machine):
    """A name for the results of a guest. Two run at once, so no two machines share one."""
    return '-'.join(re.sub(r'[^\w.=]+', '_', word) for word in machine)


class Machines:
    """The guest at hand: kept for all tests that ask for it, then closed."""

    def __init__(self):
        self.guest, self.error = None, None

    def get(self, machine):
        if not self.guest and not self.error:
            try:
                self.guest = self.boot(*machine)
            except Exception as error: # of whatever kind: nobody else gets this guest either
                self.error = 'no guest: %s' % error
                if not isinstance(error, LabError):
                    raise
        if self.error:
            raise Failed(self.error)
        return self.guest

    def boot(self, arch, suite, variant, append, device, bus, accel, dpdk, nodes, kernel):
        results = '/results/' + folder(arch, kernel, variant, suite, append, device, bus, accel,
                                       dpdk, nodes)
        os.makedirs(results, exist_ok=True)
        say('guest with %s modules%s, kernel %s, userland of %s%s' %
            (variant, append and ', ' + append, kernel, suite, ', arm64' * (arch == 'arm64')))
        if arch == 'arm64':
            guest = arm64.Arm64Guest(variant, results)
        else:
            plugin = None
            if bus:
                plugin, problem = build.bus_plugin()
                if problem:
                    raise LabError(problem)
            if bus == 'kernel':
                plugin += ',kernel=on'
            guest = Guest(**build.machine('tcg' if bus else accel or 'auto', variant, kernel),
                          plugin=plugin, modules=build.modules(variant, kernel),
                          install=build.install(True, suite, kernel, dpdk),
                          append=append, nodes=int(nodes),
                          userland=build.suite_root(suite) or None, devices=device.split(),
                          results=results, console=results + '/console.log')
        try:
            guest.wait_ready()
        except BaseException:
            guest.close()
            raise
        say('it is up after %.1f s' % guest.boot_seconds)
        return guest

    def busy(self):
        """Processor seconds so far of what has ended here, and of the guest at hand: what a test
        takes whatever else the machine does."""
        return sum(os.times()[:4]) + (self.guest.busy() if self.guest else 0)

    def lost(self, error):
        """The guest is of no use any more: whoever asks for it next gets to know."""
        self.error = 'no guest: %s' % str(error).splitlines()[0]
        self.close_guest()

    def close_guest(self):
        if self.guest:
            self.guest.close()
        self.guest = None

    def close(self):
        self.close_guest()
        self.error = None


def baseline(guest):
    out = []
    guest.run(BASELINE.replace('BOUND', guest.bound).replace('IDLE', guest.idle), out.append,
              Guest.PATIENCE)
    return b''.join(out).decode('utf-8', 'replace').splitlines()


def settled(guest, before):
    """What a test has left behind, as text, or ''."""
    wrong = []
    after = baseline(guest)
    if before != after:
        wrong += ['it leaves processes, devices or memory types that differ',
                  *difflib.unified_diff(before, after, lineterm='', n=0)]
    splats = guest.splats()
    if splats:
        wrong += ['the kernel complained', *splats]
    return '\n'.join(wrong)


# --- Kinds of tests -----------------------------------------------------------------------------

class Test(pytest.Item):
    """A test with an id of the lab's and results of its own kind."""
    stage = 'test'
    machine = None
    bad = 0 # results that are not ok

    @classmethod
    def make(cls, session, test_id, **attributes):
        item = cls.from_parent(session, name=test_id, nodeid=test_id)
        item.__dict__.update(attributes)
        return item

    def result(self, verdict, name, reason='', output=''):
        longrepr = None
        self.bad += verdict == 'not ok'
        if verdict == 'skip':
            longrepr = (self.nodeid, 0, reason)
        elif verdict == 'not ok':
            longrepr = '\n'.join(filter(None, [reason, '\n'.join(output.splitlines()[-60:])]))
        now = time.time()
        report = pytest.TestReport(
            nodeid='%s::%s' % (self.nodeid, name), location=self.location, keywords={},
            outcome={'ok': 'passed', 'skip': 'skipped'}.get(verdict, 'failed'),
            longrepr=longrepr, when='call', duration=0, start=now, stop=now)
        report.reason = reason
        self.ihook.pytest_runtest_logreport(report=report)

    def repr_failure(self, excinfo, style=None):
        if excinfo.errisinstance((Failed, LabError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, None, self.nodeid


class Unit(Test):
    """A build of the repository, and its unit tests, or one of them (id unit/BUILD/TEST)."""
    # name: (stage, suite, meson's options, environment)
    BUILDS = {
        'gcc': ('fast', None, (), {}),
        'clang': ('test', None, (), {'CC': 'clang'}),
        'asan': ('test', None, ('-Db_sanitize=address,undefined', '-Db_lundef=false',
                                '--buildtype=debugoptimized'),
                 {'ASAN_OPTIONS': 'detect_leaks=1', 'UBSAN_OPTIONS': 'halt_on_error=1'}),
        'gcc-bookworm': ('test', 'bookworm', (), {}),
        'gcc-forky': ('long', 'forky', (), {}),
    }
    only = None
    long = False # with the tests of suite "long"

    def runtest(self):
        name = self.nodeid.split('/')[1]
        _, suite, options, env = self.BUILDS[name]
        path = build.meson(name, *options, env=env, suite=suite)
        command = ['meson', 'test', '-C', path, '--no-rebuild', '--print-errorlogs',
                   *([] if self.long else ['--no-suite=long']), *filter(None, [self.only])]
        log = path + '/meson-logs/testlog.junit.xml'
        with build.locked('build-' + os.path.basename(path)):
            if os.path.exists(log):
                os.unlink(log)
            done = subprocess.run(build.in_suite(suite, command), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                                  errors='replace', check=False, env={**os.environ, **env})
            if not os.path.exists(log):
                raise Failed('meson test said nothing\n' + done.stdout)
            with open(log, encoding='utf-8') as f:
                found = junit(f.read())
        for test, case, verdict, reason in found:
            self.result(verdict, '%s: %s' % (test, case), reason,
                        done.stdout if verdict == 'not ok' else '')
        if not found:
            raise Failed('no unit test\n' + done.stdout)
        if done.returncode and all(verdict != 'not ok' for _, _, verdict, _ in found):
            raise Failed('meson test ends with %d\n%s' % (done.returncode, done.stdout))


class Dpdk(Test):
    """The unit tests of the series for DPDK (dpdk-patch/test), with a kernel that is faked at the
    system calls."""

    def runtest(self):
        program = build.dpdk(self.release) + '/test_pci_vfio'
        done = subprocess.run(build.in_suite(build.DPDK_SUITE, [program]), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                              errors='replace', check=False)
        found, problem = tap(done.stdout)
        for result in found:
            self.result(*result)
        if problem or done.returncode and not self.bad:
            raise Failed('%s, exit status %d\n%s' % (problem, done.returncode, done.stdout))


class Series(Test):
    """What is claimed of a kernel series, patch by patch (kernel-patch/check). Found out once for
    what it depends on: here, or by who recorded it in the tree."""
    folder = '/src/kernel-patch/'

    def runtest(self):
        name = self.nodeid.split('/')[1]
        kern, arm = build.kernel(name), arm64.kernel(name)
        inputs = [self.folder + part for part in
                  ('apply', 'build', 'check', 'regenerate', 'selftest')]
        key = build.digest([kern.version, arm.version], [*inputs, kern.patches])
        with open(self.folder + 'checked', encoding='utf-8') as f:
            unchanged = '%s: %s\n' % (self.nodeid, key) in f
        if unchanged and not self.again:
            pytest.skip('unchanged since all its patches were checked, says kernel-patch/checked; '
                        '-k %s checks it again' % self.nodeid)

        def make(out):
            say('checking the series for %s and %s, patch by patch' % (kern.version, arm.version))
            cache = '%s/check-%s' % (build.CACHE, name)
            os.makedirs(cache, exist_ok=True)
            build.prune(cache + '/*')
            command = [self.folder + 'check', '--source', kern.source, '--headers', kern.headers,
                       '--arm64', arm.headers, '--series', kern.patches, '--cache', cache]
            done = subprocess.run(build.in_suite(kern.suite, command), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                                  errors='replace', check=False)
            found, problem = tap(done.stdout)
            for result in found:
                self.result(*result)
            if not problem and done.returncode != any(r[0] == 'not ok' for r in found):
                problem = 'exit status %d' % done.returncode
            if problem:
                raise Failed('%s\n%s' % (problem, '\n'.join(done.stdout.splitlines()[-60:])))
            if done.returncode:
                raise Failed('not all is as claimed')
            with open(out, 'w', encoding='utf-8') as f:
                f.write(done.stdout)
        path = '%s/%s-%s' % (build.CACHE, self.nodeid.replace('/', '-'), key)
        if os.path.exists(path):
            with open(path, encoding='utf-8') as f:
                for result in tap(f.read())[0]:
                    self.result(*result)
        else:
            build.cached(self.nodeid.replace('/', '-'), key, make)
        with open('/results/checked', 'a', encoding='utf-8') as f:
            f.write('%s: %s\n' % (self.nodeid, key))


class Fuzz(Test):
    """What a hostile guest may send to the ENA model: first what was found before."""
    seconds = 60

    def runtest(self):
        new = '/results/fuzz'
        os.makedirs(new + '/found', exist_ok=True)
        done = subprocess.run([build.ena_fuzzer(), '-max_total_time=%d' % self.seconds,
                               '-len_control=0', '-max_len=1024', '-timeout=20',
                               '-artifact_prefix=%s/' % new, '-verbosity=0',
                               '-print_final_stats=1', new + '/found',
                               LAB + '/ena/fuzz/corpus'],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              stdin=subprocess.DEVNULL, errors='replace', check=False)
        runs = re.search(r'number_of_executed_units: (\d+)', done.stdout)
        if done.returncode or not runs or int(runs.group(1)) < 1000:
            raise Failed('status %d, %s inputs\n%s' %
                         (done.returncode, runs and runs.group(1), done.stdout))
        say('%s inputs in %d s' % (runs.group(1), self.seconds))


class Script(Test):
    """A script in a guest: its own results, and as a whole that it kept its plan, ended in time,
    left everything as it was and made the kernel say nothing."""

    def runtest(self):
        guest = self.machines.get(self.machine)
        try:
            before = baseline(guest)
            problem = guest.script(self.script, self.result, float(self.asks.timeout))
            if problem or self.bad:
                self.keep_logs(guest)
            left = settled(guest, before)
        except LabError as error:
            self.machines.lost(error)
            raise
        if problem or left:
            raise Failed(problem or left)

    def keep_logs(self, guest):
        """What programs wrote, for whoever looks for the cause."""
        out = '/results/logs/' + self.nodeid
        os.makedirs(guest.here(out), exist_ok=True)
        guest.run('cp /tmp/*.log %s/ 2>/dev/null\n' % out, None, Guest.PATIENCE)


class Boots(Test):
    """QEMU must not crash while DPDK probes (lab/README.md)."""
    stage = 'long'

    def runtest(self, boots=20):
        for number in range(1, boots + 1):
            with Guest(**build.machine('auto'), install=build.install()) as guest:
                guest.wait_ready()
                wrong = []
                problem = guest.script(LAB + '/tests/lab/boots', lambda *result:
                                       wrong.append(result) if result[0] != 'ok' else None, 120)
                if problem or wrong or guest.splats():
                    raise Failed('boot %d: %s %s\n%s' %
                                 (number, problem, wrong, guest.console_tail()))
                say('boot %d of %d: %.1f s' % (number, boots, guest.boot_seconds))


class Installed(Test):
    """Of the kernel modules, or of all packages, on an installed system (host/system.py)."""
    stage = 'long'

    def runtest(self):
        system.play(self, *self.nodeid.split('/'))


class Mutant(Test):
    """A planted fault: the test that its file names must turn red (host/mutants.py)."""
    def runtest(self):
        for kernel in self.mutant.kernels or [None]:
            say('playing %s%s' % (self.nodeid, ' on %s' % kernel if kernel else ''))
            red = mutants.play(self.mutant, kernel)
            self.result('ok', 'caught%s' % (kernel and ' on ' + kernel or ''), red)


class Control(Test):
    """The tests that mutants must turn red are green without them."""
    stage = 'mutants'

    def runtest(self):
        for test_id in self.tests:
            why, _, output = mutants.control(test_id).partition('\n')
            self.result('not ok' if why else 'ok', test_id, why, output)


# --- The run ------------------------------------------------------------------------------------

class Lab:
    """pytest's plugin that makes the lab's tests of what there is, and says how they went."""
    # Where pytest finds tests of its own kind.
    python = [LAB + '/host', LAB + '/tests', RESULTS]
    junit = '/results/junit.xml'
    took = '/cache/log/times'

    def __init__(self, args):
        self.args, self.machines = args, Machines()
        self.passed = self.failed = self.skipped = 0
        self.failures, self.skips, self.times = [], {}, []
        self.reports, self.told = [], False # told: whoever sent the reports has printed them

    class Writer:
        """Where pytest finds what to explain a failed comparison with: it says nothing itself."""
        _tw = TerminalWriter()

    def pytest_configure(self, config):
        config.pluginmanager.register(self.Writer(), 'terminalreporter')

    # which

    def upto(self, stage):
        return stage in STAGES and STAGES.index(stage) <= STAGES.index(self.args.level)

    def tests(self, session):
        """Those of the lab's kinds. Order is what takes least first, then guests."""
        for name, (stage, suite, *_) in Unit.BUILDS.items():
            yield Unit.make(session, 'unit/' + name, stage=stage,
                            long=name == 'gcc' and self.args.level != 'fast')
        yield Dpdk.make(session, 'unit/dpdk-22.11', release='22.11')
        for name in build.kernels():
            yield Series.make(session, 'series/' + name,
                              again=self.args.keyword or self.args.level == 'long')
        yield Fuzz.make(session, 'ena/fuzz', seconds=600 if self.args.level == 'long' else 30)
        yield Boots.make(session, 'lab/boots')
        for script, suite in itertools.product(system.PHASES, ('trixie', 'bookworm')):
            yield Installed.make(session, '%s/%s' % (script, suite))
        for path in sorted(glob.glob(LAB + '/tests/*/*.sh')):
            asks, name = Asks.of_script(path), '/'.join(path.split('/')[-2:])[:-len('.sh')]
            for machine in asks.machines():
                yield Script.make(session, name + where(machine), script=path, asks=asks,
                                  stage=asks.stage_on(machine),
                                  machine=machine, machines=self.machines)
        found = [mutants.Mutant(path) for path in sorted(glob.glob(LAB + '/mutants/*.patch'))]
        yield Control.make(session, 'mutants/control',
                           tests=sorted({test for mutant in found for test in mutant.tests()}))
        for mutant in found:
            yield Mutant.make(session, 'mutants/' + mutant.name, mutant=mutant,
                              stage=mutant.stage)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session, config, items):
        for item in items:
            if str(item.path).startswith(RESULTS):
                item._nodeid = 'results/' + re.sub('.*/(?=test_)', '', item.nodeid)
            item._nodeid = re.sub(r'^tests/', '', item.nodeid)
            module = item.getparent(pytest.Module).obj
            asks = getattr(module, 'ASKS', None)
            if asks is not None:
                item.asks = Asks(item.nodeid, asks)
                (item.machine,) = item.asks.machines()
            else:
                item.machine = None
            item.stage = item.asks.stage if asks is not None else getattr(module, 'STAGE', 'fast')
        items += self.tests(session)
        if self.args.exactly:
            items[:] = self.exactly(items, self.args.exactly)
        elif self.args.mutants:
            items[:] = [item for item in items if item.nodeid.startswith('mutants/')]
        else:
            items[:] = [item for item in items if self.upto(item.stage)]
        for item in items:
            # pytest's expressions know no @
            item.extra_keyword_matches.add(item.nodeid.replace('@', ':'))

    @staticmethod
    def exactly(items, test_id):
        found = [item for item in items if item.nodeid == test_id or
                 re.match(re.escape(test_id) + r'(\.py)?::', item.nodeid)]
        if not found and re.fullmatch(r'unit/[^/]+/[^/]+', test_id):
            found = [item for item in items if item.nodeid == test_id.rpartition('/')[0]]
            for item in found:
                item.only = test_id.rpartition('/')[2]
        return found

    @staticmethod
    def group(item):
        """Tests that stay together: those that ask for the same guest, and those of pytest's own
        kind that need none."""
        return getattr(item, 'machine', None) or isinstance(item, Test) and item.nodeid

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session):
        """Groups in the order in which they are first asked for, what needs no guest before all
        that does, what plays other tests last."""
        order = {}
        items = session.items
        for item in items:
            order.setdefault(self.group(item), len(order))
        items.sort(key=lambda item: (isinstance(item, (Boots, Installed, Control, Mutant)),
                                     item.machine is not None, order[self.group(item)]))
        for number, item in enumerate(items, 1):
            item.number = number
        if self.args.list:
            for item in items:
                print(item.nodeid)
            items.clear()

    def pytest_runtestloop(self, session):
        if session.testsfailed:
            raise session.Interrupted('not all tests can be collected')
        groups = [list(items) for _, items in itertools.groupby(session.items, self.group)]

        def play(numbers):
            for number in numbers:
                group = groups[number]
                for item, following in zip(group, [*group[1:], None]):
                    session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                self.machines.close()
        if len(groups) < 2:
            play(range(len(groups)))
        else:
            # The first guest boots while the first builds and unit tests run.
            numbers = range(len(groups))
            self.other(session.config, lanes.in_two(
                numbers, sorted(numbers, key=lambda n: groups[n][0].machine is None), play,
                lambda: self.said(session.config)))
        return True

    def said(self, config):
        """What the second process has to say."""
        return self.times, [config.hook.pytest_report_to_serializable(config=config, report=report)
                            for report in self.reports]

    def other(self, config, said):
        """What the second process had to say."""
        if said is None:
            self.failed += 1
            self.failures.append(('the second process ended before its tests did', ''))
            return
        times, reports = said
        self.times += times
        self.told = True
        for report in reports:
            config.hook.pytest_runtest_logreport(
                report=config.hook.pytest_report_from_serializable(config=config, data=report))

    # how

    @pytest.fixture
    def guest(self, request):
        """The guest that ASKS of the module says, with what a test wants of one."""
        item = request.node
        try:
            return self.machines.get(item.machine)
        except Failed as error:
            pytest.fail(str(error), pytrace=False)

    @pytest.fixture(scope='module', autouse=True)
    def leaves_everything(self, request):
        """A module of tests in a guest is judged as a script is."""
        asks = getattr(request.module, 'ASKS', None)
        if asks is None:
            yield
            return
        (machine,) = Asks(request.module.__name__, asks).machines()
        try:
            guest = self.machines.get(machine)
        except Failed as error:
            pytest.fail(str(error), pytrace=False)
        before = baseline(guest)
        yield
        left = settled(guest, before)
        if left:
            pytest.fail(left, pytrace=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item, nextitem):
        if isinstance(item, Test) or item.machine: # others take no time
            say('%s (%d of %d)' % (item.nodeid, item.number, len(item.session.items)))
        start, busy = time.monotonic(), self.machines.busy()
        try:
            return (yield)
        finally:
            self.times.append((time.monotonic() - start, max(0, self.machines.busy() - busy),
                               item.nodeid))

    def pytest_runtest_logreport(self, report):
        """One line for each result. Phases before and after a test count when they fail."""
        self.reports.append(report)
        if report.when != 'call' and report.outcome == 'passed' or \
                report.when == 'teardown' and report.outcome == 'skipped':
            return
        name = report.nodeid.replace('::', ': ', 1)
        reason, output = getattr(report, 'reason', ''), ''
        if report.outcome == 'passed':
            self.passed += 1
            verdict = 'ok'
        elif report.outcome == 'skipped':
            self.skipped += 1
            verdict = 'skip'
            if isinstance(report.longrepr, tuple):
                reason = report.longrepr[2].removeprefix('Skipped: ')
            self.skips.setdefault(reason or 'no reason', []).append(name)
        else:
            self.failed += 1
            verdict = 'not ok'
            output = report.longreprtext
            crash = getattr(report.longrepr, 'reprcrash', None)
            if crash:
                reason = crash.message.partition('\n')[0]
            else:
                reason, _, output = output.partition('\n')
            if report.when != 'call':
                name += ' (%s)' % report.when
            self.failures.append((name, report.nodeid.split('::')[0]))
        if not self.told:
            print('\n'.join(['%s %s%s' % (verdict, name, reason and ' - ' + reason),
                             *('    ' + line for line in output.splitlines())]), flush=True)

    def pytest_collectreport(self, report):
        if report.failed:
            self.failed += 1
            self.failures.append((report.nodeid, ''))
            print('not ok %s - cannot be collected\n%s' % (report.nodeid, report.longreprtext))

    def closing(self):
        """What a run ends with: slowest, skipped, failed and where to look, the closing line."""
        slowest = ['%7.1f s %7.1f s  %s\n' % times for times in sorted(self.times, reverse=True)]
        with open(self.took, 'w', encoding='utf-8') as f:
            f.writelines(slowest)
        print('\nThe slowest, and how long processors were at it:')
        print(''.join(slowest[:10]), end='')
        for reason, names in self.skips.items():
            print('skipped: %s - %s' % (', '.join(names), reason))
        if self.failures:
            kept = os.environ.get('LAB_FAILED') or '/results'
            print('\nFailed (consoles: %s/GUEST/console.log; what programs wrote: logs/TEST/ '
                  'beside them):' % kept)
            for name, test in self.failures:
                print('    %s' % name)
                if test:
                    print('        again: lab/run test%s -k %s' %
                          (self.args.level == 'long' and ' --long' or '', test))
        line = '%d passed, %d failed' % (self.passed, self.failed)
        print(line + (', %d skipped' % self.skipped if self.skipped else ''), flush=True)
        return 1 if self.failed or not self.passed else 0


def do_test(argv, kind=Lab):
    parser = argparse.ArgumentParser(prog='lab/run test', add_help=False)
    level = parser.add_mutually_exclusive_group()
    level.add_argument('--fast', dest='level', action='store_const', const='fast', default='test')
    level.add_argument('--long', dest='level', action='store_const', const='long')
    parser.add_argument('--mutants', action='store_true')
    parser.add_argument('-k', dest='keyword', default='')
    parser.add_argument('--exactly', default='')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--record', action='store_true')
    args = parser.parse_args(argv)
    if args.level == 'long':
        build.ENA_FLAGS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined']
    lab = kind(args)
    status = pytest.main([
        '-c', '/dev/null', '--rootdir', LAB, '-p', 'no:terminal', '-p', 'no:cacheprovider',
        '--import-mode=importlib', '-s', '--junitxml=' + lab.junit,
        *(['-k', args.keyword.replace('@', ':')] if args.keyword else []),
        *lab.python], plugins=[lab])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED,
                      pytest.ExitCode.NO_TESTS_COLLECTED):
        lab.failed += 1
        lab.failures.append(('pytest ends with %s' % status, ''))
    return 0 if args.list and not lab.failed else lab.closing()

# SPDX-License-Identifier: BSD-3-Clause
"""One guest: QEMU, the back ends that count its frames, the witness, and the jobs it runs."""

import contextlib
import fcntl
import json
import os
import re
import secrets
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import witness
from results import Protocol

RAM = 2 << 30
SO_SNDBUFFORCE = 32 # Python has no name for it

# The devices by name: (name, address in the guest, netdev, QEMU arguments). The addresses are
# fixed, so that everything can name a device; another one is one more line.
PORT = '-device pcie-root-port,id=port%d,chassis=%d,addr=%s,pref64-reserve=32M'
# (QEMU makes devices in JSON after all others, and would put them on the last bus.)
ENA = '-device {"driver":"vfio-user-pci","bus":"pcie.0","addr":"%s",' \
    '"socket":{"type":"unix","path":"DIR/%s"}}'
DEVICES = [
    ('virtio', '0000:00:03.0', 'net0',
     '-device virtio-net-pci,netdev=net0,addr=3.0,disable-legacy=on,iommu_platform=on,'
     'mac=52:54:00:00:00:01,romfile='),
    ('vmxnet3', '0000:00:04.0', 'net1',
     '-device vmxnet3,netdev=net1,addr=4.0,mac=52:54:00:00:00:02,romfile='),
    ('igb', '0000:01:00.0', 'net2', PORT % (1, 1, '5.0') +
     ' -device igb,netdev=net2,bus=port1,addr=0.0,mac=52:54:00:00:00:03,romfile='),
    ('igbvf', '0000:01:10.0', 'net2', ''),
    ('ivshmem', '0000:00:06.0', '-',
     '-object memory-backend-memfd,id=shmem,size=64M,share=on '
     '-device ivshmem-plain,memdev=shmem,addr=6.0'),
    # Two of lab/ena's model, each a process of its own; the cable between them is unplugged until
    # somebody says "mode wire".
    ('ena', '0000:00:07.0', 'ena0', ENA % ('7.0', 'ena0')),
    ('enb', '0000:00:02.0', 'ena1', ENA % ('2.0', 'ena1')),
    # A bus that can be reset, 1 GB of memory behind BAR2, and an I/O BAR. No driver knows it.
    # (Without hotplug, or each reset of the bus takes a second.)
    ('testdev', '0000:02:00.0', '-', PORT % (2, 2, 'a.0') + ',hotplug=off'
     ' -device pci-testdev,bus=port2,addr=0.0,membar=1G,membar-backed=on'),
    ('nvme', '0000:00:0b.0', '-', '-device nvme,serial=lab,cmb_size_mb=2,addr=b.0'),
    # DPDK's driver of it does not go through an IOMMU: nobody gives it work.
    ('crypto', '0000:00:0c.0', '-', '-object cryptodev-backend-builtin,id=crypto '
     '-device virtio-crypto-pci,cryptodev=crypto,addr=c.0'),
]

# Of a guest with two nodes: a PCIe hierarchy and a NIC on each.
PXB = '-device pxb-pcie,id=pxb%d,bus=pcie.0,bus_nr=%d,numa_node=%d,addr=%s ' \
    '-device pcie-root-port,id=node%d,bus=pxb%d,chassis=%d,pref64-reserve=32M '
ON_NODE = PXB + '-device virtio-net-pci,netdev=%s,bus=node%d,disable-legacy=on,' \
    'iommu_platform=on,mac=52:54:00:00:01:0%d,romfile='
ON_NODES = [('node0', '0000:41:00.0', 'net3', ON_NODE % (0, 64, 0, 'd', 0, 0, 10, 'net3', 0, 0)),
            ('node1', '0000:81:00.0', 'net4', ON_NODE % (1, 128, 1, 'e', 1, 1, 11, 'net4', 1, 1))]

# An emulated CPU that the host is slow to run is no fault of the guest's kernel: it must not
# conclude that its timer interrupt or another CPU is dead.
PATIENT = 'no_timer_check watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=180'

# What of the kernel's log is a failure whatever the command says.
SPLAT = re.compile(r'BUG: |WARNING: (CPU|possible|suspicious|inconsistent|bad unlock)|\bOops\b|'
                   r'Kernel panic|general protection fault|INFO: (task|rcu)|'
                   r'unable to handle|UBSAN:|KASAN:|kmemleak: \d+ new|'
                   r'freeing invalid memtype|conflicting memory types|'
                   r'refcount_t:|list_(add|del) corruption')


class LabError(Exception):
    pass


def say(text):
    """Progress goes to stderr; the clock goes on from lab/run's."""
    print('[lab %4ds] %s' % (time.monotonic() - say.start, text), file=sys.stderr, flush=True)


say.start = time.monotonic() - float(os.environ.get('LAB_SECONDS', 0))


def mount(*args):
    subprocess.run(['mount', *args], check=True)


def take_slot():
    """Guests spin on their CPUs: more of them than the host has only make each other time out.
    Returns a file whose lock is one of the places. First come, first served."""
    with open('/cache/.queue', 'w') as queue:
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say('waiting in a queue for guests: as many run on this machine as it has CPUs')
            fcntl.flock(queue, fcntl.LOCK_EX)
        while True:
            for number in range(max(2, os.cpu_count() or 0)):
                slot = open('/cache/.slot-%d' % number, 'w')
                try:
                    fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return slot
                except OSError:
                    slot.close()
            time.sleep(0.5)


class Qmp:
    def __init__(self, path, last_words):
        self.last_words = last_words
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.file = self.sock.makefile('r')
        self.lock = threading.Lock()
        if not self.file.readline():
            raise LabError('QEMU does not start: ' + self.last_words())
        self.execute('qmp_capabilities')

    def execute(self, command, **arguments):
        with self.lock:
            try:
                self.sock.sendall(json.dumps({'execute': command,
                                              'arguments': arguments}).encode())
                for line in self.file:
                    answer = json.loads(line)
                    if 'error' in answer:
                        raise LabError('QEMU: %s: %s' % (command, answer['error']['desc']))
                    if 'return' in answer:
                        return answer['return']
            except OSError:
                pass # it says why in its log
        raise LabError('QEMU is gone: ' + self.last_words())

    def monitor(self, line, cpu=0):
        return self.execute('human-monitor-command', **{'command-line': line, 'cpu-index': cpu})


class Guest:
    """A running guest. Everything of it lives in one directory in RAM, and dies with it.

    kernel, version, lib_modules: its image, its release, and the /lib/modules that has its modules
    modules: directory that takes the place of the kernel's drivers/vfio, or None (stock)
    install: directory that appears as /opt/dpdk-vfio-wc, or None
    results: directory that appears as /results, two guests may have their own
    userland: another root file system than the one we are in
    nodes: 2: two NUMA nodes of two CPUs each, with a NIC of their own
    """
    Witness = witness.Witness
    # What is with vfio-pci when a test begins, and what with nobody.
    bound = 'virtio vmxnet3 igbvf ivshmem ena'
    idle = 'enb testdev nvme crypto'
    PATIENCE = 600 # seconds to boot; a loaded machine takes ten times as long as a quiet one
    QUIET = 6 # seconds that it takes on a quiet one
    HUGEPAGES = 5 / 16 # of RAM

    def __init__(self, kernel, version, lib_modules, initrd, sink, ena, accel, modules=None,
                 install=None, results='/results', append='', devices=(), console=None, tty=False,
                 ram=RAM, userland=None, plugin=None, nodes=1):
        self.dir = tempfile.mkdtemp(prefix='guest', dir='/lab')
        self.processes, self.mounts = [], []
        self.buffer, self.checked, self.ram, self.results = b'', 0, ram, results
        self.qmp, self.plugin, self.nodes = None, plugin, nodes
        self.all_devices = DEVICES + ON_NODES * (nodes == 2)
        self.bound += ' node0 node1' * (nodes == 2)
        os.makedirs(self.dir + '/share/job')
        self.console = console or self.dir + '/console'
        self.version = version
        self.slot = None if tty else take_slot()
        try:
            self._export(lib_modules, modules, install, userland)
            self._start_sink(sink)
            self._start_enas(ena)
            self._start_qemu(kernel, initrd, accel, results, append, devices, tty)
        except BaseException:
            self.close()
            raise

    def _mount(self, *args):
        mount(*args)
        self.mounts.append(args[-1])

    def _export(self, lib_modules, modules, install, userland):
        """What the guest gets for a root file system."""
        self.root = self.dir + '/root'
        os.mkdir(self.root)
        self._mount('--bind', userland or '/lab/root', self.root)
        # Kernel and userland need not be of one suite.
        self._mount('--bind', lib_modules, self.root + '/lib/modules')
        self._mount('--bind', '/src', self.root + '/src')
        if modules:
            # modprobe finds the rebuilt modules where the distribution's were: dependencies are
            # the same, so the guest needs no depmod.
            self._mount('--bind', modules,
                        '%s/lib/modules/%s/kernel/drivers/vfio' % (self.root, self.version))
        if install:
            self._mount('--bind', install, self.root + '/opt/dpdk-vfio-wc')

    def _exports(self):
        return [('root', self.root, 'on')]

    @staticmethod
    def _disk():
        return []

    def _start_sink(self, sink):
        self.links = {netdev: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
                      for netdev in self.netdevs()}
        args = []
        for netdev, (ours, theirs) in self.links.items():
            for end in ours, theirs:
                end.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20)
            args += [netdev, str(theirs.fileno())]
        self.sink = subprocess.Popen([sink, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     text=True, bufsize=1, start_new_session=True,
                                     pass_fds=[fds[1].fileno() for fds in self.links.values()])
        self.processes.append(self.sink)
        if self.sink.stdout.readline() != 'ready\n':
            raise LabError('the counting back ends do not start: exit status %s' %
                           self.sink.wait(2))

    def _start_enas(self, program):
        self.enas = {}
        cable = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for number, end in enumerate(cable):
            end.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20)
            name = 'ena%d' % number
            with open('%s/%s.log' % (self.dir, name), 'w', encoding='ascii') as log:
                model = subprocess.Popen(
                    [program, '--name', name, '--mac', '02:45:4e:41:00:0%d' % (number + 1),
                     '--wire', str(end.fileno()), '%s/%s' % (self.dir, name)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                    bufsize=1, start_new_session=True, pass_fds=[end.fileno()], cwd=self.results)
            end.close()
            self.processes.append(model)
            if model.stdout.readline() != 'ready\n':
                raise LabError('the ENA model does not start: ' + self.ena_log(name))
            model.stdin.write('mode sink\n')
            model.stdout.readline()
            self.enas[name] = model

    def ena_log(self, name):
        with open('%s/%s.log' % (self.dir, name), errors='replace') as f:
            return f.read().rstrip()

    def netdevs(self):
        return sorted({d[2] for d in self.all_devices if d[2].startswith('net')})

    def _memory(self):
        """Guest RAM is a file: offset in it is guest-physical address (all of it is below the PCI
        hole), so the witness can read page tables while the guest runs."""
        where = 'mem-path=%s/ram,share=on' % self.dir
        if self.nodes == 1:
            return ['-object', 'memory-backend-file,id=ram,size=%d,%s' % (self.ram, where),
                    '-M', 'memory-backend=ram', '-smp', '2']
        half, args = self.ram // 2, ['-smp', '4,sockets=2,cores=2']
        with open(self.dir + '/ram', 'wb') as f:
            f.truncate(self.ram)
        for node in range(2):
            args += ['-object', 'memory-backend-file,id=ram%d,size=%d,offset=%d,%s' %
                     (node, half, node * half, where),
                     '-numa', 'node,nodeid=%d,cpus=%d-%d,memdev=ram%d' %
                     (node, 2 * node, 2 * node + 1, node)]
        return args

    def _start_qemu(self, kernel, initrd, accel, results, append, devices, tty):
        with open(self.dir + '/share/devices', 'w', encoding='ascii') as f:
            f.writelines('%s %s %s\n' % d[:3] for d in self.all_devices)
        args = [
            'qemu-system-x86_64', '-nodefaults', '-no-user-config', '-display', 'none',
            '-no-reboot', '-M', 'q35,kernel-irqchip=split,hpet=off',
            '-accel', *accel.split(), '-cpu', 'max', '-m', '%dM' % (self.ram >> 20),
            *self._memory(),
            '-device', 'intel-iommu,intremap=on,caching-mode=on',
            '-kernel', kernel, '-initrd', initrd, '-append',
            'console=ttyS0 panic=-1 intel_iommu=on hugepages=%d %s %s' %
            (int(self.ram * self.HUGEPAGES) >> 21, PATIENT, append),
            '-serial', 'file:' + self.console,
            '-qmp', 'unix:%s/qmp,server=on,wait=off' % self.dir,
            '-device', 'virtio-serial-pci,addr=8.0',
            '-chardev', 'socket,id=jobs,path=%s/jobs,server=on,wait=off' % self.dir,
            '-device', 'virtserialport,chardev=jobs,nr=1,name=lab.jobs',
            '-chardev', 'socket,id=witness,path=%s/witness,server=on,wait=off' % self.dir,
            '-device', 'virtserialport,chardev=witness,nr=2,name=wc.witness',
        ]
        for number, (tag, path, readonly) in enumerate(
                self._exports() + [('share', self.dir + '/share', 'off'),
                                   ('results', results, 'off')]):
            args += ['-fsdev', 'local,id=%s,path=%s,security_model=passthrough,readonly=%s,'
                     'multidevs=remap' % (tag, path, readonly),
                     '-device', 'virtio-9p-pci,fsdev=%s,mount_tag=%s,addr=9.%d,multifunction=on' %
                     (tag, tag, number)]
        for netdev, (ours, _) in self.links.items():
            args += ['-netdev', 'dgram,id=%s,local.type=fd,local.str=%d' % (netdev, ours.fileno())]
        for device in self.all_devices:
            args += device[3].replace('DIR', self.dir).split()
        for device in devices:
            args += ['-device', device]
        args += self._disk()
        if self.plugin:
            args += ['-plugin', 'file=%s,socket=%s/bus' % (self.plugin, self.dir)]
        if tty:
            args += ['-chardev', 'stdio,id=tty,signal=off', '-device', 'virtconsole,chardev=tty']
        self._launch(args, tty)

    def _launch(self, args, tty=False):
        self.log = open(self.dir + '/qemu.log', 'w+b')
        self.started = time.monotonic()
        self.qemu = subprocess.Popen(args, stdin=None if tty else subprocess.DEVNULL,
                                     stdout=None if tty else self.log, stderr=self.log,
                                     pass_fds=[ours.fileno() for ours, _ in self.links.values()])
        self.processes.append(self.qemu)
        try:
            self.qmp = Qmp(self._socket('qmp'), self.last_words)
        except OSError as error:
            raise LabError('QEMU does not start: %s; %s' % (error, self.last_words())) from None
        # QEMU set its ends non-blocking, and when one is full it queues 10000 frames for a device
        # that cannot wait (igb, vmxnet3) and drops the rest. Blocking loses nothing. The flag
        # belongs to the open file that we share with QEMU.
        for ours, theirs in self.links.values():
            ours.setblocking(True)
            ours.close()
            theirs.close()
        self.jobs = socket.socket(socket.AF_UNIX)
        self.jobs.connect(self.dir + '/jobs')
        self.witness = self.Witness(self)
        self.witness.start()

    def _socket(self, name):
        """Wait for QEMU to make its sockets: the last one stands when the first does."""
        path = '%s/%s' % (self.dir, name)
        deadline = time.monotonic() + 120
        while not os.path.exists(path) or not os.path.exists(self.dir + '/witness'):
            if self.qemu.poll() is not None or time.monotonic() > deadline:
                raise LabError('QEMU does not start: ' + self.last_words())
            time.sleep(0.02)
        return path

    def last_words(self):
        """What QEMU said, and how it ended if it did: it may have closed its sockets just now."""
        try:
            status = 'exit status %d' % self.qemu.wait(2)
        except subprocess.TimeoutExpired:
            status = 'still running'
        with open(self.dir + '/qemu.log', errors='replace') as f:
            return '%s (%s)' % (f.read().strip()[-2000:] or 'it said nothing', status)

    def console_tail(self, lines=40):
        try:
            with open(self.console, errors='replace') as f:
                return ''.join(f.readlines()[-lines:])
        except FileNotFoundError:
            return ''

    def wait_ready(self, timeout=None):
        out = self._until(re.compile(rb'ready\n'), None,
                          time.monotonic() + (timeout or self.PATIENCE), 'boot')
        self.boot_seconds = time.monotonic() - self.started
        # How many times the limits of tests: as slow as it was to boot, or slower later on.
        self.patience = max(2, round(self.boot_seconds / self.QUIET))
        return out

    def _until(self, pattern, write, deadline, what):
        """Pass the guest's output to write() until it matches pattern."""
        while True:
            match = pattern.search(self.buffer)
            end = match.start() if match else max(0, len(self.buffer) - 64)
            if write and end:
                write(self.buffer[:end])
            if match:
                self.buffer = self.buffer[match.end():]
                return match
            self.buffer = self.buffer[end:]
            while not select.select([self.jobs], [], [], 1)[0]:
                if self.qemu.poll() is not None:
                    break
                state = self.qmp.execute('query-status')['status']
                if state != 'running': # KVM met something it cannot run, for example
                    raise LabError('the guest stopped (%s, %s): %s' %
                                   (what, state, self.last_words()))
                if time.monotonic() > deadline:
                    raise LabError('the guest did not %s in time; the end of its console:\n%s' %
                                   (what, self.console_tail()))
            data = b''
            try:
                data = self.jobs.recv(1 << 16)
            except OSError:
                pass
            if not data:
                if write:
                    write(self.buffer)
                raise LabError('the guest died (%s); the end of its console:\n%s\n%s' %
                               (what, self.console_tail(), self.last_words()))
            self.buffer += data

    def run(self, script, write, timeout=600, tty=False):
        """Run a shell script in the guest; its output goes to write(); returns its status."""
        job = secrets.token_hex(8)
        with open('%s/share/job/%s' % (self.dir, job), 'w', encoding='utf-8') as f:
            f.write(script)
        self.jobs.sendall(('%s %s\n' % (job, 'tty' if tty else 'pipe')).encode())
        pattern = re.compile(rb'\0exit %s (\d+)\n' % job.encode())
        match = self._until(pattern, write, time.monotonic() + timeout, 'finish the command')
        return int(match.group(1))

    def sh(self, script, timeout=120):
        """(status, output) of a shell script; the limit is for a quiet machine."""
        out = []
        status = self.run('patience=%d\n%s' % (self.patience, script), out.append,
                          timeout * self.patience)
        return status, b''.join(out).decode('utf-8', 'replace')

    def here(self, path):
        """A file of the guest's /results, as it is called on this side."""
        return self.results + path.removeprefix('/results')

    @staticmethod
    def bdf(name):
        return {device[0]: device[1] for device in DEVICES}[name]

    def script(self, command, report, timeout):
        """Run a script that reports as lab/tests/lib.sh does; the limit is for a quiet machine.
        Returns what is wrong with it as a whole, with what it had said, or ''."""
        protocol = Protocol(secrets.token_hex(8), report)
        try:
            status = self.run('results=%s patience=%d\n. %s\n' %
                              (protocol.word.decode(), self.patience, command),
                              protocol, timeout * self.patience)
        except LabError as error:
            raise LabError('%s\nit had said:\n%s' % (error, protocol)) from None
        problem = protocol.ended(status)
        return problem and '%s\n%s' % (problem, protocol)

    def splats(self):
        """The kernel's complaints since the last call."""
        with open(self.console, errors='replace') as f:
            f.seek(self.checked)
            text = f.read()
        self.checked += len(text.encode('utf-8', 'replace'))
        lines = text.splitlines()
        found = []
        for number, line in enumerate(lines):
            if SPLAT.search(line):
                found += lines[number:number + 40]
                break
        return found

    def busy(self):
        """Processor seconds so far, of QEMU and what feeds it."""
        ticks = 0
        for process in self.processes:
            with contextlib.suppress(OSError): # it has ended
                with open('/proc/%d/stat' % process.pid, encoding='ascii', errors='replace') as f:
                    ticks += sum(map(int, f.read().rpartition(')')[2].split()[11:13]))
        return ticks / os.sysconf('SC_CLK_TCK')

    def close(self):
        try:
            if self.qmp and self.qemu.poll() is None:
                self.qmp.execute('quit')
                self.qemu.wait(10)
        except (OSError, LabError, subprocess.TimeoutExpired):
            pass
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for name in getattr(self, 'enas', ()):
            for line in self.ena_log(name).splitlines():
                say(line)
        for path in reversed(self.mounts):
            subprocess.run(['umount', '-l', path], check=False)
        if self.slot:
            self.slot.close()
        # The root file system's mounts are gone, but never follow one that is not.
        for name in ('ram', 'share'):
            path = '%s/%s' % (self.dir, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.path.exists(path) and os.unlink(path)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

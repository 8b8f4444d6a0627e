# SPDX-License-Identifier: BSD-3-Clause
"""The arm64 guest: QEMU's "virt" machine with an SMMUv3, Debian's arm64 kernel, and vfio modules as
they are or cross-built with the series. All it has is in its initramfs: busybox, bash, the kernel's
selftest, the lab's and lab/tests. Jobs, output and witness are those of the other guest.

The tools and the kernel are a layer that lab/run unpacked (make_arm64 there). Of the other kernels
there is what cross-builds modules for them, to check the series; they are not run."""

import glob
import inspect
import os
import re
import shutil
import socket
import subprocess

import build
import witness
from build import cached, digest, run
from guest import Guest, LabError, PATIENT, PORT, mount, say

# As the other guest's: (name, address in the guest, netdev, QEMU arguments).
DEVICES = [
    ('virtio', '0000:00:03.0', '-',
     '-device virtio-net-pci,addr=3.0,disable-legacy=on,iommu_platform=on,romfile='),
    ('ivshmem', '0000:00:06.0', '-',
     '-object memory-backend-memfd,id=shmem,size=64M,share=on '
     '-device ivshmem-plain,memdev=shmem,addr=6.0'),
    ('testdev', '0000:01:00.0', '-', PORT % (1, 1, 'a.0') + ',hotplug=off'
     ' -device pci-testdev,bus=port1,addr=0.0,membar=1G,membar-backed=on'),
]


# --- What it is made of ---------------------------------------------------------------------------

# {suite: the layer over it}
LAYERS = {'bookworm': 'arm64_bookworm', 'trixie': 'arm64', 'backports': 'arm64_backports'}


def kernel(name=build.DEFAULT_KERNEL):
    """As build.kernel(), of which the source is. The layer's tools appear in the suite's /usr."""
    kern = build.kernel(name)
    layer = build.suites().get(LAYERS[kern.suite])
    if not layer:
        raise LabError('what kernel %s needs for arm64 is not there: see above' % name)
    usr = kern.root + '/usr'
    if not os.path.exists(usr + '/bin/aarch64-linux-gnu-gcc'):
        mount('-t', 'overlay', '-o', 'lowerdir=%s/usr:%s' % (layer, usr), 'arm64', usr)
    headers, = glob.glob(layer + '/usr/src/linux-headers-*-arm64')
    return kern._replace(root=layer + '/arm64',
                         version=os.path.basename(headers).split('-', 2)[2])


def modules():
    """The vfio modules with the series applied, the selftest, and headers in .include."""
    kern, builder, apply = kernel(), '/src/kernel-patch/build', '/src/kernel-patch/apply'

    def make(out):
        say('cross-building the vfio modules for %s (half a minute)' % kern.version)
        source = out + '.tree'
        shutil.rmtree(source, ignore_errors=True)
        run([apply, '--source', kern.source, '--tree', source, '--series', kern.patches],
            'kernel-patch/apply')
        run([builder, '--tree', source, '--headers', kern.headers, '--out', out, '--arch', 'arm64'],
            'kernel-patch/build --arch arm64')
        build.keep_headers(source, out + '/.include')
        shutil.rmtree(source)
    return cached('arm64-modules', digest([kern.version, inspect.getsource(modules)],
                                          [builder, apply, kern.patches]), make)


def in_load_order(kern, names):
    """The paths of these modules and what they need, in the order to load them."""
    run(['depmod', '-b', kern.root, '-o', '/tmp/depmod', kern.version], 'depmod')
    needs = {}
    with open('/tmp/depmod/lib/modules/%s/modules.dep' % kern.version, encoding='ascii') as f:
        for line in f:
            path, _, rest = line.partition(':')
            needs[os.path.basename(path).split('.')[0]] = [*reversed(rest.split()), path]
    paths = dict.fromkeys(path for name in names for path in needs[name])
    return ['%s/%s/%s' % (kern.modules, kern.version, path) for path in paths]


def initrd(variant):
    patched, kern = modules(), kernel()
    cookies = build.cookies(kern, patched + '/.include', ('aarch64-linux-gnu-gcc', '-static'))
    init, bind = '/src/lab/guest/init-arm64', '/src/lab/guest/bin/lab-bind'
    tests = ['/src/lab/tests/lib.sh', '/src/lab/tests/selftest.sh',
             *sorted(glob.glob('/src/lab/tests/arm64/*'))]

    def make(out):
        stage = '/tmp/arm64-' + variant
        shutil.rmtree(stage, ignore_errors=True)
        for name in ('bin', 'dev', 'lab', 'modules', 'proc', 'root', 'run/lab', 'sys', 'tmp',
                     'src/lab/tests/arm64'):
            os.makedirs('%s/%s' % (stage, name))
        shutil.copy(init, stage + '/init')
        for path in tests:
            shutil.copy(path, stage + path)
        shutil.copy(kern.root + '/usr/bin/bash-static', stage + '/bin/bash')
        for path in kern.root + '/usr/bin/busybox', bind, patched + '/vfio_mmap_cookie_test':
            shutil.copy(path, stage + '/bin')
        shutil.copy(cookies, stage + '/bin/vfio-cookies')
        paths = in_load_order(kern, ['9p', '9pnet_virtio', 'vfio_iommu_type1', 'vfio-pci'])
        for number, path in enumerate(paths):
            name, ending = build.split_ko(path)
            target = '%s/modules/%02d-%s.ko' % (stage, number, name)
            new = '%s/%s.ko' % (patched, name)
            if variant == 'patched' and os.path.exists(new):
                shutil.copy(new, target)
                continue
            with open(target, 'wb') as f:
                subprocess.run([*build.UNPACK[ending], path], stdout=f, check=True)
        run('cd %s && find . | cpio -o -H newc >%s' % (stage, out), 'cpio', shell=True)
    return cached('arm64-initrd-' + variant,
                  digest([kern.version, patched, cookies, kern.root, inspect.getsource(initrd)],
                         [init, bind, *tests]),
                  make)


# --- What its page tables hold --------------------------------------------------------------------
# Section names are those of the Arm Architecture Reference Manual, DDI 0487.

# MAIR_EL1, "Memory Attribute Indirection Register": the attributes of one index. The first two are
# what the series promises; everything else goes by its own name, which no test takes for either.
TYPES = {0x00: 'UC-',   # Device-nGnRnE: pgprot_noncached()
         0x44: 'WC',    # Normal, inner and outer non-cacheable: pgprot_writecombine()
         0x04: 'nGnRE', 0x08: 'nGRE', 0x0c: 'GRE', 0xff: 'WB', 0xf0: 'tagged'}


def attribute_index(pte):
    """AttrIndx[2:0] of a block or page descriptor."""
    return pte >> 2 & 7


class PageTables(witness.PageTables):
    """The lower half (TTBR0) of an address space with a 4 KB granule ("VMSAv8-64 translation table
    format descriptors"); TCR_EL1.DS says that output addresses have 52 bits."""

    def __init__(self, read64, ttbr0, tcr):
        if tcr >> 14 & 3:
            raise witness.Error('TCR_EL1 %#x: the granule is not 4 KB' % tcr)
        self.wide = tcr >> 59 & 1
        bits = 64 - (tcr & 63)
        super().__init__(read64, 0, (bits - 12 + 8) // 9)
        self.user_half = 1 << bits
        self.root = ttbr0 & 0xffffffffffc0 | (ttbr0 >> 2 & 15) << 48 if self.wide else \
            ttbr0 & 0xfffffffffffe

    def address(self, entry):
        if self.wide:
            return entry & 0x0003fffffffff000 | (entry >> 8 & 3) << 50
        return entry & 0x0000fffffffff000

    @staticmethod
    def is_large(entry):
        return not entry & 2


class Registers:
    """System registers, which QEMU shows to a debugger only. The guest stands still meanwhile."""
    NAMES = ('TTBR0_EL1', 'TCR_EL1', 'MAIR_EL1')

    def __init__(self, path, qmp):
        self.lock = qmp.lock # who asks QEMU for its state must not find it stopped
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        with self.lock: # to attach stops the guest
            self.sock.connect(path)
            self.file = self.sock.makefile('rb')
            self.ask('?')
            self.ask('qSupported:xmlRegisters=arm')
            self.ask('qXfer:features:read:target.xml:0,ffb')
            text, more = '', True
            while more:
                answer = self.ask('qXfer:features:read:system-registers.xml:%x,ffb' % len(text))
                text, more = text + answer[1:], answer[0] == 'm'
            self.numbers = {name: int(re.search(r'<reg name="%s"[^>]* regnum="(\d+)"' % name,
                                                text).group(1)) for name in self.NAMES}
            self.send('c')

    def send(self, text):
        data = text.encode('ascii')
        self.sock.sendall(b'$%s#%02x' % (data, sum(data) & 0xff))
        if self.file.read(1) != b'+':
            raise witness.Error('the debugger\'s port does not acknowledge ' + text)

    def receive(self):
        data = b''
        while not data.endswith(b'#'):
            byte = self.file.read(1)
            if not byte:
                raise witness.Error('the debugger\'s port is closed')
            data += byte
        self.file.read(2)
        self.sock.sendall(b'+')
        data = data[data.index(b'$') + 1:-1]
        return re.sub(rb'}(.)', lambda m: bytes([m.group(1)[0] ^ 0x20]), data,
                      flags=re.S).decode('latin-1')

    def ask(self, text):
        self.send(text)
        return self.receive()

    def read(self, cpu):
        with self.lock:
            self.sock.sendall(b'\x03')
            self.receive()
            try:
                self.ask('Hg%x' % (cpu + 1))
                values = [self.ask('p%x' % self.numbers[name]) for name in self.NAMES]
            finally:
                self.send('c')
        return [int.from_bytes(bytes.fromhex(value), 'little') for value in values]


class Witness(witness.Witness):
    """
    attributes    AttrIndx and attributes of each type that leaves had since the last time:
                  "attributes TYPE=INDEX:ATTRIBUTES..."
    """
    RAM_BASE = 0x40000000 # of "virt"

    def __init__(self, guest):
        super().__init__(guest)
        self.registers_port, self.mair, self.seen = None, 0, set()

    def answer(self, words):
        if words[:1] == ['attributes']:
            seen, self.seen = sorted(self.seen), set()
            return 'attributes ' + ' '.join('%s=%d:%#04x' % item for item in seen)
        return super().answer(words)

    def tables(self, cpu):
        if not self.registers_port:
            self.registers_port = Registers(self.guest.dir + '/gdb', self.guest.qmp)
        ttbr0, tcr, self.mair = self.registers_port.read(cpu)
        return PageTables(self.read64, ttbr0, tcr)

    def types(self):
        def type_of(leaf):
            attributes = self.mair >> 8 * attribute_index(leaf.pte) & 0xff
            name = TYPES.get(attributes, '%#04x' % attributes)
            self.seen.add((name, attribute_index(leaf.pte), attributes))
            return name
        return type_of


class Arm64Guest(Guest):
    Witness = Witness
    bound = ' '.join(device[0] for device in DEVICES)
    idle = ''

    def __init__(self, variant, results):
        super().__init__(kernel=kernel().image, version=kernel().version, lib_modules=None,
                         initrd=initrd(variant), sink=None, ena=None, accel=build.TCG,
                         results=results, console=results + '/console.log')

    def _export(self, *_):
        pass

    def _start_sink(self, sink):
        self.links = {}

    def _start_enas(self, program):
        self.enas = {}

    def _start_qemu(self, kernel, initrd, accel, results, append, devices, tty):
        with open(self.dir + '/share/devices', 'w', encoding='ascii') as f:
            f.writelines('%s %s %s\n' % d[:3] for d in DEVICES)
        args = [
            'qemu-system-aarch64', '-nodefaults', '-no-user-config', '-display', 'none',
            '-no-reboot', '-M', 'virt,gic-version=3,iommu=smmuv3,memory-backend=ram',
            # The architecture's own pointer authentication is slow to emulate.
            '-accel', accel, '-cpu', 'max,pauth-impdef=on', '-smp', '2',
            '-m', '%dM' % (self.ram >> 20),
            '-object', 'memory-backend-file,id=ram,size=%d,mem-path=%s/ram,share=on' %
            (self.ram, self.dir),
            '-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyAMA0 panic=-1 ' + PATIENT,
            '-serial', 'file:' + self.console,
            '-qmp', 'unix:%s/qmp,server=on,wait=off' % self.dir,
            '-gdb', 'unix:%s/gdb,server=on,wait=off' % self.dir,
            '-device', 'virtio-serial-pci,addr=8.0',
            '-chardev', 'socket,id=jobs,path=%s/jobs,server=on,wait=off' % self.dir,
            '-device', 'virtserialport,chardev=jobs,nr=1,name=lab.jobs',
            '-chardev', 'socket,id=witness,path=%s/witness,server=on,wait=off' % self.dir,
            '-device', 'virtserialport,chardev=witness,nr=2,name=wc.witness',
            '-fsdev', 'local,id=share,path=%s/share,security_model=passthrough,multidevs=remap' %
            self.dir,
            '-device', 'virtio-9p-pci,fsdev=share,mount_tag=share,addr=9.0',
        ]
        for device in DEVICES:
            args += device[3].split()
        self._launch(args)

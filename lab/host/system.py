# SPDX-License-Identifier: BSD-3-Clause
"""Installed systems on a disk of their own (lab/host/system.sh), which are rebooted and keep what
was done to them; and the test that plays through what a user of kernel-patch/vfio-wc-modules
does."""

import contextlib
import glob
import os
import shutil
import subprocess
import time

import build
from guest import Guest, LabError, say

# Phases of lab/tests/system/installer; a reboot after each
PHASES = ('before', 'use', 'enforced', 'update', 'updated', 'removed')


def systems():
    """Those that lab/run made: {suite: directory, or '' where it failed}."""
    return dict(item.split('=') for item in os.environ.get('LAB_SYSTEMS', '').split())


class System(Guest):
    """A guest that boots its own disk. The lab is its boot loader: it starts the kernel that the
    links /vmlinuz and /initrd.img named when the system went down."""
    PATIENCE = 900
    HUGEPAGES = 0

    def __init__(self, results, append='', **more):
        self.disk, boot = results + '/disk', results + '/boot'
        kernel, initrd = glob.glob(boot + '/vmlinuz-*') + glob.glob(boot + '/initrd.img-*')
        super().__init__(kernel=kernel, initrd=initrd, append='root=/dev/vda rw ' + append,
                         results=results, **more)

    def _export(self, *_):
        """Its root file system is its own."""

    def _exports(self):
        return [('src', '/src', 'on')]

    def _disk(self):
        return ['-drive', 'file=%s,format=raw,if=none,id=disk,cache=unsafe' % self.disk,
                '-device', 'virtio-blk-pci,drive=disk,addr=d.0']

    def reboot(self):
        """Let it go down; what it would boot next is put into /results/boot."""
        shutil.rmtree(self.here('/results/boot'))
        os.mkdir(self.here('/results/boot'))
        if self.run('cp $(readlink -f /vmlinuz) $(readlink -f /initrd.img) /results/boot\n', None,
                    300):
            raise LabError('what the system would boot next cannot be copied')
        with contextlib.suppress(LabError): # it may be down before it says that the command ended
            self.run('systemctl --no-block reboot\n', None, 300)
        deadline = time.monotonic() + 300
        while self.qemu.poll() is None:
            if time.monotonic() > deadline:
                raise LabError('the system does not go down; the end of its console:\n%s' %
                               self.console_tail())
            time.sleep(0.2)


def selftest(test, version, out):
    """The verb build, in this root file system: the variant for no-IOMMU mode, and the kernel's
    selftest. It and the lab's are linked so that they run on all systems."""
    build.run(['/src/kernel-patch/vfio-wc-modules', 'build', '--kernel', version, '--noiommu',
               '--out', out], 'vfio-wc-modules build', env={**os.environ, 'LDFLAGS': '-static'})
    include = build.modules('patched', plant=False) + '/.include'
    shutil.copy(build.cookies(build.kernel(), include, ('gcc', '-static')), out + '/vfio-cookies')
    parameters = build.run(['modinfo', '-F', 'parm', out + '/vfio.ko'], 'modinfo')
    test.result('ok' if 'enable_unsafe_noiommu_mode' in parameters else 'not ok',
                'build --noiommu', output=parameters)


def play(test, suite):
    """Install, reboot, use, update the kernel, reboot, use, remove, reboot: tests/system/installer.
    Results are the test's; raises LabError for what is none."""
    image = systems().get(suite)
    if not image:
        raise LabError('no disk image, see above')
    results = '/results/installer-' + suite # of its guests
    say('%s: copying its disk' % suite)
    shutil.copytree(image + '/boot', results + '/boot')
    subprocess.run(['cp', '--sparse=always', image + '/disk', results], check=True)
    parts = build.machine('auto')
    selftest(test, os.path.basename(parts.pop('kernel')).split('-', 1)[1], results + '/built')
    del parts['initrd']
    wrong = []
    try:
        for phase in PHASES:
            with System(results, console='%s/console-%s.log' % (results, phase),
                        append='module.sig_enforce=1' if phase == 'enforced' else '',
                        **parts) as guest:
                guest.wait_ready()
                say('%s: %s is up after %.0f s' % (phase, guest.version, guest.boot_seconds))
                start = time.monotonic()
                problem = guest.script('/src/lab/tests/system/installer %s %s' % (phase, suite),
                                       lambda verdict, name, *more: test.result(
                                           verdict, '%s: %s' % (phase, name), *more), 3600)
                wrong += ['%s: %s' % (phase, line) for line in [problem, *guest.splats()] if line]
                say('%s took %.0f s' % (phase, time.monotonic() - start))
                guest.reboot()
    finally:
        os.unlink(results + '/disk')
    if wrong:
        raise LabError('\n'.join(wrong))

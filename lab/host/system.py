# SPDX-License-Identifier: BSD-3-Clause
"""Installed systems on a disk of their own (lab/host/system.sh), which are rebooted and keep what
was done to them; and the tests that play through what a user of kernel-patch/vfio-wc-modules, or
of the packages, does."""

import contextlib
import glob
import os
import shutil
import subprocess
import tempfile
import time

import build
import packages
from guest import Guest, LabError, say

# Scripts of lab/tests/system and their phases; a reboot after each
PHASES = {'installer': ('before', 'use', 'enforced', 'update', 'updated', 'removed'),
          'packages': ('use', 'removed')}


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


def for_installer(test, _, parts, results):
    """The verb build, in this root file system: the variant for no-IOMMU mode, and the kernel's
    selftest. It and the lab's are linked so that they run on all systems."""
    version = os.path.basename(parts['kernel']).split('-', 1)[1]
    out = results + '/built'
    build.run(['/src/kernel-patch/vfio-wc-modules', 'build', '--kernel', version, '--noiommu',
               '--out', out], 'vfio-wc-modules build', env={**os.environ, 'LDFLAGS': '-static'})
    include = build.modules('patched', plant=False) + '/.include'
    shutil.copy(build.cookies(build.kernel(), include, ('gcc', '-static')), out + '/vfio-cookies')
    parameters = build.run(['modinfo', '-F', 'parm', out + '/vfio.ko'], 'modinfo')
    test.result('ok' if 'enable_unsafe_noiommu_mode' in parameters else 'not ok',
                'build --noiommu', output=parameters)


def for_packages(_, suite, __, results):
    """Those that a user installs."""
    os.mkdir(results + '/packages')
    with tempfile.TemporaryDirectory(dir='/lab') as out:
        for path in packages.make(suite, out, False):
            if path.endswith('.deb') and '-dbgsym_' not in path:
                shutil.move(path, results + '/packages')


PREPARE = {'installer': for_installer, 'packages': for_packages}


def play(test, script, suite):
    """Phase by phase of lab/tests/system/SCRIPT. Results are the test's; raises LabError for what
    is none."""
    image = systems().get(suite)
    if not image:
        raise LabError('no disk image, see above')
    results = '/results/%s-%s' % (script, suite) # of its guests
    say('%s: copying its disk' % suite)
    shutil.copytree(image + '/boot', results + '/boot')
    subprocess.run(['cp', '--sparse=always', image + '/disk', results], check=True)
    parts = build.machine('auto')
    PREPARE[script](test, suite, parts, results)
    del parts['kernel'], parts['initrd']
    wrong = []
    try:
        for phase in PHASES[script]:
            with System(results, console='%s/console-%s.log' % (results, phase),
                        append='module.sig_enforce=1' if phase == 'enforced' else '',
                        **parts) as guest:
                guest.wait_ready()
                say('%s: %s is up after %.0f s' % (phase, guest.version, guest.boot_seconds))
                start = time.monotonic()
                problem = guest.script('/src/lab/tests/system/%s %s %s' % (script, phase, suite),
                                       lambda verdict, name, *more: test.result(
                                           verdict, '%s: %s' % (phase, name), *more), 3600)
                wrong += ['%s: %s' % (phase, line) for line in [problem, *guest.splats()] if line]
                say('%s took %.0f s' % (phase, time.monotonic() - start))
                guest.reboot()
    finally:
        os.unlink(results + '/disk')
    if wrong:
        raise LabError('\n'.join(wrong))

# SPDX-License-Identifier: BSD-3-Clause
"""What guests are made of. Everything is cached under a hash of what it is made from; it is made
under another name and renamed when complete, so that an interrupted build leaves nothing."""

import contextlib
import fcntl
import functools
import glob
import hashlib
import inspect
import os
import shutil
import subprocess
import time
from typing import NamedTuple

from guest import Guest, LabError, mount, say

CACHE = '/cache'
PREFIX = '/opt/dpdk-vfio-wc'


def digest(words, paths=()):
    """Hash of some words and of what some files and directories hold."""
    h = hashlib.sha256()
    for word in words:
        h.update(word.encode() + b'\0')
    for path in paths:
        files = [path]
        if os.path.isdir(path):
            files = sorted(os.path.join(d, f) for d, _, names in os.walk(path) for f in names)
        for name in files:
            h.update(name.encode() + b'\0')
            with open(name, 'rb') as f:
                h.update(f.read())
    return h.hexdigest()[:12]


@contextlib.contextmanager
def locked(name):
    with open('%s/.lock-%s' % (CACHE, name), 'w') as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say('waiting for another process to make %s' % name)
            fcntl.flock(f, fcntl.LOCK_EX)
        yield


def prune(pattern):
    """Forget what was made more than a week ago for other inputs."""
    for path in glob.glob(pattern):
        if os.stat(path).st_mtime < time.time() - 7 * 86400:
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)


def cached(name, key, make):
    """The cache entry NAME-KEY; make(path) makes it, a file or a directory."""
    path = '%s/%s-%s' % (CACHE, name, key)
    if not os.path.exists(path):
        with locked(name):
            if not os.path.exists(path):
                start = time.monotonic()
                temp = '%s/tmp-%s' % (CACHE, name)
                if os.path.isdir(temp):
                    shutil.rmtree(temp)
                elif os.path.exists(temp):
                    os.unlink(temp)
                make(temp)
                os.utime(temp)
                os.rename(temp, path)
                prune('%s/%s-*' % (CACHE, name))
                say('made %s in %.0f s' % (name, time.monotonic() - start))
    return path


def run(command, what, **more):
    """Run a command quietly; its output matters only when it fails."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            stdin=subprocess.DEVNULL, text=True, errors='replace', check=False,
                            **more)
    if result.returncode:
        raise LabError('%s failed:\n%s' % (what, result.stdout[-4000:]))
    return result.stdout


# --- The kernel and its initramfs ---------------------------------------------------------------

DEFAULT_KERNEL = '6.12'
DEFAULT_DPDK = '24.11'


class Kernel(NamedTuple):
    series: str     # 6.12
    variant: str    # '', or '-modules': which series of several
    suite: str      # of the root file system that has it, and what builds its modules
    root: str       # where that is
    version: str    # as uname -r has it

    @property
    def image(self):
        return '%s/boot/vmlinuz-%s' % (self.root, self.version)

    @property
    def modules(self):
        return self.root + '/lib/modules'

    # For commands that run in its root file system:

    @property
    def headers(self):
        return '/usr/src/linux-headers-' + self.version

    @property
    def source(self):
        return '/usr/src/linux-source-%s.tar.xz' % self.series

    @property
    def patches(self):
        return '/src/kernel-patch/linux-' + self.series + self.variant


def table(path):
    with open(path, encoding='ascii') as f:
        return dict(line.split() for line in f if line[0] != '#')


def kernels():
    """{kernel: the suite whose root file system has it}"""
    return table('/src/lab/kernel/releases')


def releases():
    """{release of DPDK: the suite whose root file system has it}"""
    return table('/src/lab/guest/dpdk')


@functools.lru_cache(maxsize=None)
def kernel(name=DEFAULT_KERNEL):
    """A kernel of lab/kernel/releases. Its image, headers and source must belong together."""
    release, dash, variant = name.partition('-')
    variant = dash + variant
    suite = kernels().get(('7.x' if release.startswith('7.') else release) + variant)
    if not suite:
        raise LabError('no kernel %s, there are %s' % (name, ' '.join(kernels())))
    root = suite_root(suite)
    packages = dict(line.split(' ') for line in run(
        ['dpkg-query', '--admindir', root + '/var/lib/dpkg', '-W', '-f',
         '${Package} ${Version}\n', 'linux-*'], 'dpkg-query').splitlines())
    images = glob.glob(root + '/boot/vmlinuz-*')
    sources = [package for package, version in packages.items()
               if package.startswith('linux-source-') and version]
    if len(images) != 1 or len(sources) != 1:
        raise LabError('expected one kernel and its source in the root file system of %s, '
                       'found %s' % (suite, images + sources))
    found = Kernel(sources[0].split('-')[2], variant, suite, root,
                   os.path.basename(images[0]).split('-', 1)[1])
    versions = {package: packages.get(package) for package in
                ('linux-image-' + found.version, 'linux-headers-' + found.version, sources[0])}
    if len(set(versions.values())) != 1:
        raise LabError('these do not belong together; lab/run clean, and try again when the mirror '
                       'is consistent: %s' % versions)
    if release not in (found.series, '7.x'):
        raise LabError('no kernel %s: the root file system of %s has %s' %
                       (name, suite, found.series))
    if not os.path.isdir(found.patches):
        say('WARNING: kernel-patch has no series for %s (%s): it has stock modules only' %
            (found.version, os.path.basename(found.patches)))
    return found


# How modules are packed, by the end of their names. The kernel unpacks xz itself, and knows only
# this check sum.
PACK = {'.ko': ['cat'], '.ko.xz': ['xz', '-0', '--check=crc32', '-c'], '.ko.zst': ['zstd', '-qc']}
UNPACK = {'.ko': ['cat'], '.ko.xz': ['xz', '-dc'], '.ko.zst': ['zstd', '-dqc']}


def split_ko(path):
    """('vfio', '.ko.xz') of a module's path"""
    name, _, ending = os.path.basename(path).partition('.ko')
    return name, '.ko' + ending


def initrd(kern):
    script = '/src/lab/guest/initramfs'

    def make(out):
        stage = '/tmp/initramfs'
        shutil.rmtree(stage, ignore_errors=True)
        for name in ('bin', 'proc', 'dev', 'lower', 'rw', 'root', 'modules'):
            os.makedirs('%s/%s' % (stage, name))
        shutil.copy('/usr/bin/busybox', stage + '/bin/busybox')
        shutil.copy(script, stage + '/init')
        # In the order in which they must be loaded. What is built in has no line.
        paths = {}
        for name in ('virtio_pci', 'virtio_console', '9p', '9pnet_virtio', 'overlay'):
            for line in run(['modprobe', '-d', kern.root or '/', '-S', kern.version,
                             '--show-depends', name], 'modprobe').splitlines():
                if line.startswith('insmod'):
                    paths.setdefault(line.split()[1])
        for number, path in enumerate(paths):
            name, ending = split_ko(path)
            with open('%s/modules/%02d-%s.ko' % (stage, number, name), 'wb') as f:
                subprocess.run([*UNPACK[ending], path], stdout=f, check=True)
        run('cd %s && find . | cpio -o -H newc >%s' % (stage, out), 'cpio', shell=True)
    return cached('initrd', digest([kern.version], [script, __file__]), make)


def sink():
    source = '/src/lab/host/sink.c'
    return cached('sink', digest([], [source]), lambda out: run(
        ['gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', out, source], 'compiling the sink'))


# The ENA model as guests get it; tests --long sets this to ASan and UBSan.
ENA_FLAGS = []


def ena():
    sources = sorted(glob.glob('/src/lab/ena/*.[ch]'))
    return cached('ena', digest([inspect.getsource(ena), *ENA_FLAGS], sources), lambda out: run(
        ['gcc', '-O2', '-g', '-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror',
         *ENA_FLAGS, '-o', out] + [path for path in sources if path.endswith('.c')],
        'compiling the ENA model'))


def bus_plugin():
    """The plugin that counts what reaches the bus (lab/bus), and None; or None, and why not."""
    sources = [path for path in sorted(glob.glob('/src/lab/bus/*.[ch]'))
               if os.path.basename(path) != 'local.c']
    qemu = run(['qemu-system-x86_64', '--version'], 'qemu --version').splitlines()[0]

    def make(out):
        os.mkdir(out)
        run(['gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE', '-shared', '-fPIC',
             '-fvisibility=hidden', '-o', out + '/bus.so',
             *(path for path in sources if path.endswith('.c'))], 'compiling the plugin')
        # Plugin interfaces change with QEMU's releases. The installed one says what it speaks by
        # what it says of this one; -M none does nothing else.
        try:
            done = subprocess.run(['qemu-system-x86_64', '-M', 'none', '-accel', 'tcg', '-display',
                                   'none', '-S', '-monitor', 'stdio', '-plugin',
                                   'file=%s/bus.so,socket=%s/probe' % (out, out)], input='quit\n',
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=30, check=False)
            problem = done.stderr.strip() if done.returncode else ''
        except subprocess.TimeoutExpired:
            problem = 'QEMU hangs with the plugin'
        with open(out + '/problem', 'w', encoding='utf-8') as f:
            f.write(problem)
    path = cached('bus-plugin', digest([qemu, inspect.getsource(bus_plugin)], sources), make)
    with open(path + '/problem', encoding='utf-8') as f:
        problem = f.read()
    if problem:
        return None, '%s: %s' % (qemu, problem)
    return path + '/bus.so', None


def local_costs():
    """(ns a fenced store, ns a fenced line) of non-temporal stores on this processor."""
    source = '/src/lab/bus/local.c'
    path = cached('local', digest([], [source]), lambda out: run(
        ['gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', out, source], 'compiling local.c'))
    return tuple(float(word) for word in run([path], 'local').split())


def ena_fuzzer():
    """The ENA model under libFuzzer, ASan and UBSan; clang builds what gcc builds otherwise."""
    sources = sorted(glob.glob('/src/lab/ena/*.[ch]') + glob.glob('/src/lab/ena/fuzz/*.c'))
    return cached('ena-fuzzer', digest([inspect.getsource(ena_fuzzer)], sources), lambda out: run(
        ['clang', '-O1', '-g', '-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror',
         '-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=undefined', '-o', out] +
        [path for path in sources if path.endswith('.c') and not path.endswith('/main.c')],
        'compiling the fuzzer of the ENA model'))


# QEMU 10.0.2's multi-threaded TCG aborted while DPDK probed (iotlb_to_section), 11.1.3's does not:
# lab/README.md.
TCG = 'tcg,thread=multi'
# The time-stamp counter counts instructions, of all CPUs: one runs at a time.
ICOUNT = 'tcg,thread=single -icount shift=0'


def accelerator(wanted, parts):
    """KVM where it boots this kernel, which a /dev/kvm alone does not promise."""
    if wanted != 'auto':
        return {'kvm': 'kvm', 'tcg': TCG, 'icount': ICOUNT}[wanted]
    if not os.path.exists('/dev/kvm'):
        return TCG
    with open('/proc/cpuinfo', encoding='ascii', errors='replace') as f:
        cpu = [line for line in f if line.startswith(('model name', 'flags'))][:2]

    def probe(out):
        say('trying whether KVM boots the guest (once for this machine)')
        verdict = TCG
        try:
            with Guest(accel='kvm', **parts) as guest:
                guest.wait_ready(30)
                verdict = 'kvm'
        except LabError as error:
            say('  it does not: %s' % str(error).splitlines()[0])
        with open(out, 'w', encoding='ascii') as f:
            f.write(verdict)
    path = cached('accel', digest([os.uname().release, parts['kernel'], *cpu]), probe)
    with open(path, encoding='ascii') as f:
        return f.read()


# Whole kernels that find mistakes (lab/kernel/debug.config), of the distribution's source: with the
# series applied, and without.
DEBUG = {'debug': True, 'debug-stock': False}


# By variant, what of the kernel's configuration differs.
CONFIG = {'noiommu': 'VFIO_NOIOMMU', 'compact': 'VFIO_COMPACT_OFFSETS'}


def debug_tree(kern):
    """Where such a kernel was built, without the series: what one changes is soon built anew."""
    config = '/src/lab/kernel/debug.config'

    def make(out):
        say('building a debug kernel of %s (10 minutes)' % kern.version)
        os.mkdir(out)
        with debug_mounted('--bind', out) as tree:
            run('tar --strip-components=1 -xf %s && make -s tinyconfig && '
                'scripts/kconfig/merge_config.sh -m -O . .config %s && make -s olddefconfig' %
                (suite_root(kern.suite) + kern.source, config), 'configuring the debug kernel',
                cwd=tree, shell=True)
            with (open(config, encoding='ascii') as f,
                  open(tree + '/.config', encoding='ascii') as g):
                missing = set(f.read().splitlines()) - set(g.read().splitlines())
            missing = [line for line in missing if line.endswith('=y')]
            if missing:
                raise LabError('the debug kernel lacks %s' % ' '.join(missing))
            run('make -s -j$(nproc) bzImage', 'the debug kernel', cwd=tree, shell=True)
    return cached('debug-tree-' + kern.series, digest([kern.version], [config]), make)


@contextlib.contextmanager
def debug_mounted(*what):
    """Build trees are always at the same place: commands that differ are run again."""
    tree = '/lab/debug-kernel'
    with locked('debug'):
        os.makedirs(tree, exist_ok=True)
        mount(*what, tree)
        try:
            yield tree
        finally:
            subprocess.run(['umount', tree], check=True)


def debug_kernel(kern, patched):
    built, image = debug_tree(kern), '/arch/x86/boot/bzImage'
    if not patched:
        return built + image

    def make(out):
        say('building a debug kernel of %s with the series (2 minutes)' % kern.version)
        layer = '/lab/debug-layer-' + kern.series
        for name in ('/upper', '/work'):
            os.makedirs(layer + name)
        with debug_mounted('-t', 'overlay', '-o', 'lowerdir=%s,upperdir=%s/upper,workdir=%s/work' %
                           (built, layer, layer), 'debug') as tree:
            run('find %s -name "0*.patch" ! -name "0000-*" | sort | xargs cat | patch -s -p1 && '
                'make -s -j$(nproc) bzImage' % kern.patches,
                'the debug kernel', cwd=tree, shell=True)
            shutil.copy(tree + image, out)
        shutil.rmtree(layer)
    return cached('debug-kernel-' + kern.series, digest([built], [kern.patches]), make)


def machine(wanted, variant=None, name=DEFAULT_KERNEL):
    kern = kernel(name)
    image = kern.image
    parts = {'kernel': image, 'version': kern.version, 'lib_modules': kern.modules,
             'initrd': initrd(kern), 'sink': sink(), 'ena': ena()}
    if variant in DEBUG:
        parts['kernel'] = debug_kernel(kern, DEBUG[variant])
        # All is built in, and instruments every access: KVM would be no help to find races here.
        return {**parts, 'accel': accelerator(wanted, {**parts, 'kernel': image})}
    return {**parts, 'accel': accelerator(wanted, parts)}


# --- vfio modules -------------------------------------------------------------------------------

def only_default(kern, variant):
    if kern.series != DEFAULT_KERNEL:
        raise LabError('--modules %s is for kernel %s, not %s' %
                       (variant, DEFAULT_KERNEL, kern.series))


def planted(layer):
    """The mutant that is played, if it is one of this layer: whoever plays lab/mutants names it in
    LAB_MUTANT, to be planted on top of a tree that is none of the repository's."""
    mutant = os.environ.get('LAB_MUTANT', '')
    return mutant if os.path.basename(mutant).startswith(layer + '-') else ''


def modules(variant, name=DEFAULT_KERNEL, plant=True):
    """A directory to take the place of the kernel's drivers/vfio; None means the kernel's own.
    In it, for programs that are built for the same kernel: the kernel's selftests (.selftests) and
    headers (.include)."""
    if variant == 'stock' or variant in DEBUG:
        return None
    kern = kernel(name)
    builder, patch = '/src/kernel-patch/build', '/src/lab/kernel/trap.patch'
    if variant == 'trap':
        only_default(kern, variant)
    if variant == 'compact' and (kern.variant or not kern.series.startswith('7.')):
        raise LabError('--modules compact is for kernel 7.x, not %s' % name)
    if not os.path.exists(builder) or not os.path.isdir(kern.patches):
        raise LabError('kernel-patch has no %s: only --modules stock is to be had' %
                       os.path.basename(kern.patches))
    mutant = plant and variant != 'trap' and planted('kernel')
    scripts = [builder, '/src/kernel-patch/apply']
    inputs = scripts + [patch if variant == 'trap' else kern.patches] + [mutant] * bool(mutant)

    def make(out):
        say('building the %s vfio modules for %s (10 s)' % (variant, kern.version))
        built, source = out + '.ko', out + '.tree'
        for path in built, source:
            shutil.rmtree(path, ignore_errors=True)
        os.mkdir(built)
        run(in_suite(kern.suite, [
            scripts[1], '--source', kern.source, '--tree', source,
            *(['--patch', patch] if variant == 'trap' else ['--series', kern.patches]),
            *(['--mutant', mutant] if mutant else [])]), 'kernel-patch/apply')
        run(in_suite(kern.suite, [
            builder, '--tree', source, '--headers', kern.headers, '--out', built,
            *(['--config', CONFIG[variant] + '=y'] if variant in CONFIG else [])]),
            'kernel-patch/build')
        shutil.copytree('%s/%s/kernel/drivers/vfio' % (kern.modules, kern.version), out)
        missing = set(glob.glob(built + '/*.ko'))
        for path in glob.glob(out + '/**/*.ko*', recursive=True):
            name, ending = split_ko(path)
            new = '%s/%s.ko' % (built, name)
            if os.path.exists(new):
                with open(path, 'wb') as f:
                    subprocess.run([*PACK[ending], new], stdout=f, check=True)
                missing.discard(new)
        if missing:
            raise LabError('modules that the stock kernel does not have: %s' % sorted(missing))
        os.mkdir(out + '/.selftests')
        for path in glob.glob(built + '/*'):
            if os.access(path, os.X_OK) and not path.endswith('.ko'):
                shutil.copy(path, out + '/.selftests')
        keep_headers(source, out + '/.include')
        for path in built, source:
            shutil.rmtree(path)
    return cached('modules-%s-%s' % (kern.series, variant),
                  digest([kern.version, inspect.getsource(modules)], inputs), make)


def keep_headers(source, out):
    """What programs need of a scratch tree where modules were built: uAPI, the tests' harness."""
    shutil.copytree(source + '/.headers/user', out)
    for path in glob.glob(source + '/tools/testing/selftests/kselftest*.h'):
        shutil.copy(path, out)


COOKIES = '/src/lab/guest/programs/cookies'


def cookies(kern, include, compiler=('gcc',), program='vfio-cookies'):
    """The lab's own test of mmap cookies, or its fuzzer (program='vfio-cookie-fuzz'), for the
    kernel whose headers these are."""
    folder = COOKIES + '/fuzz' if program == 'vfio-cookie-fuzz' else COOKIES
    sources = sorted(glob.glob(folder + '/*.c')) if folder != COOKIES else [folder + '/main.c']
    inputs = ['/src/kernel-patch/selftest/vfio_mmap_cookie.h',
              '/src/kernel-patch/selftest/lts/libvfio.h',
              *sorted(glob.glob(COOKIES + '/*.h') + glob.glob(folder + '/*.c') +
                      glob.glob(COOKIES + '/fuzz/*.h'))]
    command = [*compiler, '-O2', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter',
               '-Wno-sign-compare', '-D_GNU_SOURCE', '-isystem', include,
               *('-I' + os.path.dirname(path) for path in inputs[:2]),
               '-isystem', COOKIES, # the fuzzer does not call all that these headers have
               *sources, '-lpthread']
    return cached('%s-%s-%s' % (program, kern.series, digest(compiler)),
                  digest(command, inputs), lambda out: run(
                      in_suite(kern.suite, [*command, '-o', out]), 'compiling ' + program))


# --- DPDK with the series -------------------------------------------------------------------------

DPDK_SUITE = 'bookworm' # its source package is what there is a series for


def dpdk_source(release):
    """The archive of a source package, for commands that run in DPDK_SUITE."""
    root = suite_root(DPDK_SUITE)
    archives = glob.glob('%s/usr/src/dpdk_%s.*.orig.tar.xz' % (root, release))
    if len(archives) != 1:
        raise LabError('expected one source package of DPDK %s in the root file system of %s, '
                       'found %s' % (release, DPDK_SUITE, archives))
    return archives[0].removeprefix(root)


def dpdk(name):
    """What the series in dpdk-patch changes of a release of DPDK: libraries, to be used in the
    place of DPDK_SUITE's; and test_pci_vfio, its unit tests. Of static-RELEASE, a testpmd that is
    linked statically. Its tree and build stay, so that the next series takes less."""
    static, _, release = name.rpartition('-')
    folder, source = '/src/dpdk-patch/', dpdk_source(release)
    apply, builder, series = folder + 'apply', folder + 'build', folder + 'dpdk-' + release
    mutant = planted('dpdk')
    inputs = [apply, builder, series, folder + 'test', '/src/lib/vfio_wc/vfio_wc_uapi.h',
              *sorted(glob.glob('/src/lib/vfio_wc/test/fake_vfio.[ch]')), *[mutant] * bool(mutant)]

    def make(out):
        say('building DPDK %s (2 minutes the first time)' % name)
        work = '%s/build/%s-dpdk-%s' % (CACHE, tree(), digest([source], [builder]))
        os.makedirs(work, exist_ok=True)
        with locked('build-' + os.path.basename(work)):
            run(in_suite(DPDK_SUITE, [apply, '--source', source, '--tree', work + '/tree',
                                      '--series', series, '--again']), 'dpdk-patch/apply')
            if mutant:
                run(in_suite(DPDK_SUITE, ['git', '-C', work + '/tree', 'apply', mutant]),
                    'planting ' + mutant)
            run(in_suite(DPDK_SUITE, [
                builder, '--tree', work + '/tree', '--out', work + '/' + (static or 'build'),
                '--install', out, '--static' if static else '--test']), 'dpdk-patch/build')
    return cached('dpdk-' + name, digest([source, inspect.getsource(dpdk)], inputs), make)


# --- The repository's own programs --------------------------------------------------------------

def tree():
    """Names this checkout of the repository: build directories are not shared between two."""
    return digest([os.environ['LAB_REPO']])


def suites():
    """Further root file systems that lab/run made: {suite: directory, or '' where it failed}."""
    return dict(item.split('=') for item in os.environ.get('LAB_SUITES', '').split())


def suite_root(suite):
    """Where the root file system of a suite is (trixie's: here)."""
    if suite == 'trixie':
        return ''
    root = '/lab/suite-' + suite
    with locked('suite-' + suite):
        if not os.path.isdir(root):
            if not suites().get(suite):
                raise LabError('the root file system of %s was not made: not with test --fast, or '
                               'it failed' % suite)
            os.mkdir(root)
            mount('--bind', suites()[suite], root)
            for path in ('/proc', '/sys', '/src', '/cache', '/lab', '/run', '/tmp'):
                mount('--bind', path, root + path)
            mount('--rbind', '/dev', root + '/dev') # with its pseudo-terminals
    return root


def in_suite(suite, command):
    """The command, run in the root file system of a suite (None and trixie: this one)."""
    root = suite_root(suite or 'trixie')
    return ['chroot', root, *command] if root else command


def meson(name, *options, env=None, suite=None):
    """Build the repository in a cached directory of its own; returns the directory."""
    path = '%s/build/%s-%s' % (CACHE, tree(), name)
    env = {**os.environ, **(env or {})}
    setup = ['meson', 'setup', '--prefix=' + PREFIX, '--libdir=lib', '-Dlab=true', *options,
             path, '/src']
    os.makedirs(CACHE + '/build', exist_ok=True)
    with locked('build-%s-%s' % (tree(), name)):
        done = path + '/lab-setup' # how, by one that went well
        if not os.path.exists(done) or open(done, encoding='utf-8').read() != str(setup):
            say('configuring the build "%s"' % name)
            shutil.rmtree(path, ignore_errors=True)
            run(in_suite(suite, setup), 'meson setup (%s)' % name, env=env)
            with open(done, 'w', encoding='utf-8') as f:
                f.write(str(setup))
        run(in_suite(suite, ['ninja', '-C', path]), 'the build "%s"' % name, env=env)
    return path


def install(build_first=True, suite='trixie', kernel_name=DEFAULT_KERNEL, dpdks=''):
    """The programs as the guest gets them: a copy of this moment, in RAM."""
    name = 'gcc' if suite == 'trixie' else 'gcc-' + suite
    path = '%s/build/%s-%s' % (CACHE, tree(), name)
    if build_first:
        try:
            path = meson(name, suite=suite)
        except LabError as error:
            raise LabError('%s\n(--no-build goes on with what was built last)' % error) from None
    # of each process: guests of two may differ
    out = '/lab/install-%s-%s-%d' % (suite, kernel_name, os.getpid())
    os.makedirs(out + PREFIX, exist_ok=True)
    if os.path.exists(path + '/build.ninja'):
        with locked('build-%s-%s' % (tree(), name)):
            try:
                run(in_suite(suite, ['meson', 'install', '-C', path, '--no-rebuild',
                                     '--destdir', out]), 'meson install')
            except LabError:
                if build_first:
                    raise
                say('warning: some programs were never built; the guest lacks them')
    # The kernel's selftests go along: they must run on unpatched modules, too. So do the modules,
    # for who compares them with others in one guest.
    if suite == 'trixie' and os.path.exists('/src/kernel-patch/build'):
        if not os.path.isdir(kernel(kernel_name).patches):
            kernel_name = DEFAULT_KERNEL
        patched = modules('patched', kernel_name, plant=False)
        shutil.copytree(patched + '/.selftests', out + PREFIX + '/bin', dirs_exist_ok=True)
        # Of use where the guest's kernel is this one.
        shutil.copytree(patched, out + PREFIX + '/modules', dirs_exist_ok=True)
        # 6.1's harness has no options, and does not name the tests it skips. The test is the same.
        if kernel_name == '6.1':
            kernel_name = DEFAULT_KERNEL
            patched = modules('patched', kernel_name, plant=False)
        for program in 'vfio-cookies', 'vfio-cookie-fuzz':
            shutil.copy(cookies(kernel(kernel_name), patched + '/.include', program=program),
                        '%s%s/bin/%s' % (out, PREFIX, program))
    for name in dpdks.split():
        built, copy = dpdk(name), '%s%s/dpdk-%s' % (out, PREFIX, name)
        if not os.path.isdir(copy):
            shutil.copytree(built, copy, symlinks=True)
    return out + PREFIX

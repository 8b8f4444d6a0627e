# SPDX-License-Identifier: BSD-3-Clause
"""What guests are made of. Everything is cached under a hash of what it is made from; it is made
under another name and renamed when complete, so that an interrupted build leaves nothing."""

import contextlib
import fcntl
import glob
import hashlib
import inspect
import os
import shutil
import subprocess
import time

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
            say('waiting for another lab/run to make %s' % name)
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

def kernel():
    """The kernel image, its version, its headers and its source; they must belong together."""
    images = glob.glob('/boot/vmlinuz-*')
    if len(images) != 1:
        raise LabError('expected one kernel in the root file system, found %s' % images)
    version = images[0].split('-', 1)[1]
    headers = '/usr/src/linux-headers-' + version
    upstream = version.split('+')[0].split('-')[0]
    source = '/usr/src/linux-source-%s.tar.xz' % '.'.join(upstream.split('.')[:2])
    package = run(['dpkg-query', '-W', '-f', '${Version}',
                   'linux-source-' + '.'.join(upstream.split('.')[:2])], 'dpkg-query')
    if not os.path.isdir(headers) or not os.path.exists(source) or \
            package.split('-')[0] != upstream:
        raise LabError('kernel %s, headers and source %s do not belong together; lab/run clean, '
                       'and try again when the mirror is consistent' % (version, package))
    return images[0], version, headers, source


def initrd(version):
    script = '/src/lab/guest/initramfs'

    def make(out):
        stage = '/tmp/initramfs'
        shutil.rmtree(stage, ignore_errors=True)
        for name in ('bin', 'proc', 'dev', 'lower', 'rw', 'root', 'modules'):
            os.makedirs('%s/%s' % (stage, name))
        shutil.copy('/usr/bin/busybox', stage + '/bin/busybox')
        shutil.copy(script, stage + '/init')
        # In the order in which they must be loaded.
        number = 0
        for name in ('9p', '9pnet_virtio', 'overlay'):
            for line in run(['modprobe', '-S', version, '--show-depends', name],
                            'modprobe').splitlines():
                if line.startswith('insmod'):
                    path = line.split()[1]
                    plain = os.path.basename(path).replace('.xz', '')
                    if not glob.glob('%s/modules/*-%s' % (stage, plain)):
                        with open('%s/modules/%02d-%s' % (stage, number, plain), 'wb') as f:
                            subprocess.run(['xz', '-dc', path], stdout=f, check=True)
                        number += 1
        run('cd %s && find . | cpio -o -H newc >%s' % (stage, out), 'cpio', shell=True)
    return cached('initrd', digest([version], [script, __file__]), make)


def sink():
    source = '/src/lab/host/sink.c'
    return cached('sink', digest([], [source]), lambda out: run(
        ['gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', out, source], 'compiling the sink'))


# The ENA model as guests get it; tests --long sets this to ASan and UBSan.
ENA_FLAGS = []


def ena():
    sources = sorted(glob.glob('/src/lab/ena/*.[ch]'))
    return cached('ena', digest([inspect.getsource(ena), *ENA_FLAGS], sources), lambda out: run(
        ['gcc', '-O2', '-g', '-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', *ENA_FLAGS,
         '-o', out] + [path for path in sources if path.endswith('.c')], 'compiling the ENA model'))


def mmio():
    """The plugin that counts what reaches the bus (lab/mmio), and None; or None, and why not."""
    sources = [path for path in sorted(glob.glob('/src/lab/mmio/*.[ch]'))
               if os.path.basename(path) != 'local.c']
    qemu = run(['qemu-system-x86_64', '--version'], 'qemu --version').splitlines()[0]

    def make(out):
        os.mkdir(out)
        run(['gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE', '-shared', '-fPIC',
             '-fvisibility=hidden', '-o', out + '/mmio.so',
             *(path for path in sources if path.endswith('.c'))], 'compiling the plugin')
        # Plugin interfaces change with QEMU's releases. The installed one says what it speaks by
        # what it says of this one; -M none does nothing else.
        try:
            done = subprocess.run(['qemu-system-x86_64', '-M', 'none', '-accel', 'tcg', '-display',
                                   'none', '-S', '-monitor', 'stdio', '-plugin',
                                   'file=%s/mmio.so,socket=%s/probe' % (out, out)], input='quit\n',
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=30, check=False)
            problem = done.stderr.strip() if done.returncode else ''
        except subprocess.TimeoutExpired:
            problem = 'QEMU hangs with the plugin'
        with open(out + '/problem', 'w', encoding='utf-8') as f:
            f.write(problem)
    path = cached('mmio', digest([qemu, inspect.getsource(mmio)], sources), make)
    with open(path + '/problem', encoding='utf-8') as f:
        problem = f.read()
    if problem:
        return None, '%s: %s' % (qemu, problem)
    return path + '/mmio.so', None


def local_costs():
    """(ns a fenced store, ns a fenced line) of non-temporal stores on this processor."""
    source = '/src/lab/mmio/local.c'
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


def accelerator(wanted, parts):
    """KVM where it boots this kernel, which a /dev/kvm alone does not promise."""
    if wanted != 'auto':
        return {'kvm': 'kvm', 'tcg': TCG}[wanted]
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


def debug_kernel():
    """A whole kernel with the series applied that finds mistakes: see lab/kernel/debug.config."""
    _, version, _, source = kernel()
    series, config = '/src/kernel-patch/linux-6.12', '/src/lab/kernel/debug.config'

    def make(out):
        say('building a debug kernel of %s (10 minutes)' % version)
        tree = '/cache/debug-kernel'
        shutil.rmtree(tree, ignore_errors=True)
        os.mkdir(tree)
        run('tar --strip-components=1 -xf %s && cat %s/0*.patch | patch -s -p1 && '
            'make -s tinyconfig && scripts/kconfig/merge_config.sh -m -O . .config %s && '
            'make -s olddefconfig && make -s -j$(nproc) bzImage' % (source, series, config),
            'the debug kernel', cwd=tree, shell=True)
        with open(config, encoding='ascii') as f, open(tree + '/.config', encoding='ascii') as g:
            missing = set(f.read().splitlines()) - set(g.read().splitlines())
        missing = [line for line in missing if line.endswith('=y')]
        if missing:
            raise LabError('the debug kernel lacks %s' % ' '.join(missing))
        shutil.copy(tree + '/arch/x86/boot/bzImage', out)
        shutil.rmtree(tree)
    return cached('debug-kernel', digest([version], [series, config]), make)


def machine(wanted, variant=None):
    image, version, _, _ = kernel()
    parts = {'kernel': image, 'initrd': initrd(version), 'sink': sink(), 'ena': ena()}
    if variant == 'debug':
        parts['kernel'] = debug_kernel()
        # All is built in, and instruments every access: KVM would be no help to find races here.
        return {**parts, 'accel': accelerator(wanted, {**parts, 'kernel': image})}
    return {**parts, 'accel': accelerator(wanted, parts)}


# --- vfio modules -------------------------------------------------------------------------------

def modules(variant):
    """A directory to take the place of the kernel's drivers/vfio; None means the kernel's own."""
    if variant in ('stock', 'debug'):
        return None
    _, version, headers, source = kernel()
    builder, patch = '/src/kernel-patch/build', '/src/lab/control/trap.patch'
    if not os.path.exists(builder):
        raise LabError('no kernel-patch/build: only --modules stock is to be had')
    scripts = [builder, '/src/kernel-patch/apply']
    inputs = scripts + ([patch] if variant == 'trap' else ['/src/kernel-patch/linux-6.12'])

    def make(out):
        say('building the %s vfio modules for %s (10 s)' % (variant, version))
        built = out + '.ko'
        shutil.rmtree(built, ignore_errors=True)
        os.mkdir(built)
        run([builder, '--source', source, '--headers', headers, '--out', built] +
            (['--patch', patch] if variant == 'trap' else []) +
            (['--config', 'VFIO_NOIOMMU=y'] if variant == 'noiommu' else []), 'kernel-patch/build')
        stock = '/lib/modules/%s/kernel/drivers/vfio' % version
        shutil.copytree(stock, out)
        missing = set(glob.glob(built + '/*.ko'))
        for path in glob.glob(out + '/**/*.ko.xz', recursive=True):
            new = '%s/%s' % (built, os.path.basename(path)[:-len('.xz')])
            if os.path.exists(new):
                # The kernel decompresses modules itself, and knows only this check sum.
                with open(path, 'wb') as f:
                    subprocess.run(['xz', '-0', '--check=crc32', '-c', new], stdout=f, check=True)
                missing.discard(new)
        if missing:
            raise LabError('modules that the stock kernel does not have: %s' % sorted(missing))
        os.mkdir(out + '/.selftests')
        for path in glob.glob(built + '/*'):
            if os.access(path, os.X_OK) and not path.endswith('.ko'):
                shutil.copy(path, out + '/.selftests')
        shutil.rmtree(built)
    return cached('modules-' + variant, digest([version, inspect.getsource(modules)], inputs), make)


# --- The repository's own programs --------------------------------------------------------------

def tree():
    """Names this checkout of the repository: build directories are not shared between two."""
    return digest([os.environ['LAB_REPO']])


def suites():
    """Further root file systems that lab/run made: {suite: directory, or '' where it failed}."""
    return dict(item.split('=') for item in os.environ.get('LAB_SUITES', '').split())


def in_suite(suite, command):
    """The command, run in the root file system of a suite (None and trixie: this one)."""
    if suite in (None, 'trixie'):
        return command
    root = '/lab/suite-' + suite
    if not os.path.isdir(root):
        os.mkdir(root)
        mount('--bind', suites()[suite], root)
        for path in ('/proc', '/sys', '/src', '/cache', '/lab', '/run', '/tmp'):
            mount('--bind', path, root + path)
        mount('--rbind', '/dev', root + '/dev') # with its pseudo-terminals
    return ['chroot', root, *command]


def meson(name, *options, env=None, suite=None):
    """Build the repository in a cached directory of its own; returns the directory."""
    path = '%s/build/%s-%s' % (CACHE, tree(), name)
    env = {**os.environ, **(env or {})}
    os.makedirs(CACHE + '/build', exist_ok=True)
    with locked('build-%s-%s' % (tree(), name)):
        if not os.path.exists(path + '/build.ninja'):
            say('configuring the build "%s"' % name)
            shutil.rmtree(path, ignore_errors=True)
            run(in_suite(suite, ['meson', 'setup', '--prefix=' + PREFIX, '--libdir=lib', *options,
                                 path, '/src']), 'meson setup (%s)' % name, env=env)
        run(in_suite(suite, ['ninja', '-C', path]), 'the build "%s"' % name, env=env)
    return path


def install(build_first=True, suite='trixie'):
    """The programs as the guest gets them: a copy of this moment, in RAM."""
    name = 'gcc' if suite == 'trixie' else 'gcc-' + suite
    path = '%s/build/%s-%s' % (CACHE, tree(), name)
    if build_first:
        try:
            path = meson(name, suite=suite)
        except LabError as error:
            raise LabError('%s\n(--no-build goes on with what was built last)' % error) from None
    out = '/lab/install-' + suite
    os.makedirs(out + PREFIX, exist_ok=True)
    if os.path.exists(path + '/build.ninja'):
        with locked('build-%s-%s' % (tree(), name)):
            try:
                run(in_suite(suite, ['meson', 'install', '-C', path, '--no-rebuild',
                                     '--destdir', out]), 'meson install')
            except LabError as error:
                if build_first:
                    raise
                say('warning: some programs were never built; the guest lacks them')
    # The kernel's selftests go along: they must run on unpatched modules, too.
    if suite == 'trixie' and os.path.exists('/src/kernel-patch/build'):
        shutil.copytree(modules('patched') + '/.selftests', out + PREFIX + '/bin',
                        dirs_exist_ok=True)
    return out + PREFIX

# SPDX-License-Identifier: BSD-3-Clause
"""The Debian packages (packaging/), as they are built here: what is in them."""

import glob
import json
import os
import re
import subprocess

import pytest

import build
import packages

STAGE = 'test'
LIBDIR = 'lib/x86_64-linux-gnu'


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


@pytest.fixture(name='built', scope='module')
def packages_built(tmp_path_factory):
    """The directory of the packages, {package: where its files were unpacked}."""
    out = str(tmp_path_factory.mktemp('packages'))
    packages.make(None, out, False)
    unpacked = {}
    for deb in glob.glob(out + '/*.deb'):
        if '-dbgsym_' not in deb:
            name = os.path.basename(deb).split('_')[0]
            unpacked[name] = str(tmp_path_factory.mktemp(name))
            output('dpkg-deb', '-x', deb, unpacked[name])
    return out, unpacked


def files(root):
    """All that is no directory, as it will be named."""
    return {os.path.join(folder, name)[len(root):]
            for folder, _, names in os.walk(root) for name in names}


def test_lintian_has_nothing_against_them(built):
    assert packages.lintian(None, built[0]) == []


def test_they_are_what_meson_install_installs(built, tmp_path):
    build.run(['meson', 'setup', '--prefix=/usr', '--libdir=' + LIBDIR, '-Dtests=false',
               str(tmp_path), '/src'], 'meson setup')
    wanted = set()
    for source, target in json.loads(output('meson', 'introspect', '--installed',
                                            str(tmp_path))).items():
        if os.path.isdir(source): # install_subdir
            target = os.path.dirname(target)
            wanted |= {os.path.join(target, os.path.basename(source)) + name
                       for name in files(source) if '__pycache__' not in name}
        else:
            wanted.add(target)
    found = {re.sub(r'(/man/.*)\.gz$', r'\1', name)
             for root in built[1].values() for name in files(root)}
    # Made by Debian's own tools, or the kernel's, which meson has no part in.
    ours = {name for name in found if not re.match(
        '/usr/share/(doc|python3|dkms)/|/usr/src/|/usr/sbin/|/etc/', name)}
    assert {name for name in wanted - ours if not name.startswith('/usr/share/doc/')} == \
        set()
    assert {name for name in ours - wanted if not name.endswith('/librte_vfio_wc.so')} == set()


def test_each_program_has_a_page(built):
    found = {name for root in built[1].values() for name in files(root)}
    programs = [name for name in found if re.match('/usr/s?bin/', name)]
    assert len(programs) == 5
    for name in programs:
        assert any(re.match('/usr/share/man/man[18]/%s\\.[18]\\.gz$' % os.path.basename(name), page)
                   for page in found), name


def test_what_is_linked_is_hardened(built):
    seen = 0
    for root in built[1].values():
        for name in files(root):
            path = root + name
            with open(path, 'rb') if not os.path.islink(path) else open('/dev/null', 'rb') as f:
                if f.read(4) != b'\x7fELF':
                    continue
            seen += 1
            said = output('readelf', '-hldW', path)
            assert re.search('Type: +DYN', said), name
            for word in 'GNU_RELRO', 'BIND_NOW', 'GNU_STACK +(0x0+ +){3}0x0+ 0x0+ RW ':
                assert re.search(word, said), '%s: %s' % (name, word)
    assert seen == 6


def test_the_plugin_is_where_dpdk_looks_and_needs_libc_alone(built):
    (plugin,) = glob.glob(built[1]['librte-misc-vfio-wc25'] + '/usr/' + LIBDIR +
                          '/dpdk/pmds-*/*')
    assert plugin.endswith('/pmds-25.0/librte_misc_vfio_wc.so')
    assert os.path.isdir(os.path.dirname(plugin[plugin.index('/usr/'):]))
    assert re.findall(r'\(NEEDED\).*\[(.*)\]', output('readelf', '-dW', plugin)) == ['libc.so.6']


def test_the_library_exports_what_its_header_declares(built):
    with open('/src/lib/vfio_wc/rte_vfio_wc.h', encoding='utf-8') as f:
        declared = set(re.findall(r'^(rte_vfio_wc_\w+)\([^;{]*\);', f.read(), re.M))
    said = output('readelf', '--dyn-syms', '-W',
                  '%s/usr/%s/librte_vfio_wc.so.0' % (built[1]['librte-vfio-wc0'], LIBDIR))
    assert set(re.findall(r' (\w+)@@RTE_VFIO_WC_0$', said, re.M)) == declared


def test_the_kernel_part_is_what_vfio_wc_modules_installs(built):
    root = built[1]['vfio-wc-dkms']
    (source,) = glob.glob(root + '/usr/src/vfio-wc-*')
    with open(source + '/package', encoding='utf-8') as f:
        assert f.read() == 'vfio-wc-dkms\n'
    have = files(source)
    # Those for mainline, which have parts, change what modules outside of vfio link against.
    wanted = [path[len('/src/kernel-patch'):]
              for path in glob.glob('/src/kernel-patch/linux-*/*.patch') +
              glob.glob('/src/kernel-patch/linux-*-modules/files')]
    assert '/linux-7.3-modules/files' in wanted
    assert sorted(name for name in have if name.startswith('/linux-')) == sorted(wanted)
    assert os.readlink(root + '/usr/sbin/vfio-wc-modules') == \
        '../src/%s/vfio-wc-modules' % os.path.basename(source)

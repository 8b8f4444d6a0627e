# SPDX-License-Identifier: BSD-3-Clause
"""kernel-patch/vfio-wc-modules on systems that are not played through (lab/tests/system/installer):
what it says where dpkg knows other packages, or is not there."""

import hashlib
import json
import lzma
import os
import re
import subprocess

import pytest

SCRIPT = os.path.realpath(os.path.dirname(__file__) + '/../../kernel-patch/vfio-wc-modules')


@pytest.fixture(name='system')
def a_system(tmp_path):
    """Runs the script where there are no commands but those of /usr/bin and /usr/sbin without
    dpkg's and apt's, and what a test puts into bin."""
    folder = tmp_path / 'bin'
    folder.mkdir()
    for place in '/usr/sbin', '/usr/bin':
        for name in os.listdir(place):
            if not name.startswith(('dpkg', 'apt')) and not os.path.lexists(folder / name):
                (folder / name).symlink_to('%s/%s' % (place, name))

    def run(*args, **places):
        """places: what is at a path of the system, its '/' as '__'."""
        command = ''.join('mount --bind "%s" "%s" && ' % (stands_in, path.replace('__', '/'))
                          for path, stands_in in places.items())
        done = subprocess.run(['unshare', '--mount', 'sh', '-c', command + 'exec "$@"', 'sh',
                               SCRIPT, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={'PATH': str(folder)}, text=True, check=False)
        return done.returncode, done.stdout
    run.bin = folder
    return run


def command(system, name, script):
    stub = system.bin / name
    stub.unlink(missing_ok=True)
    stub.write_text('#!/bin/sh\n' + script)
    stub.chmod(0o755)


def dpkg_query(system, packages):
    """packages: {name: (source package, version)}"""
    # dpkg-query -W -f FORMAT PACKAGE
    command(system, 'dpkg-query', 'case "$4 $3" in\n' + ''.join(
        '"%s "*Status*) echo installed %s ;;\n"%s "*source:Package*) echo %s ;;\n' %
        (name, version, name, source) for name, (source, version) in packages.items()) +
        '*) exit 1 ;;\nesac\n')


@pytest.mark.parametrize('flavour', ['amd64', 'cloud-amd64'])
def test_bookworm_security_has_another_source_package(system, flavour):
    """Source package linux-6.12, whose source is in linux-source-6.12."""
    kernel = '6.12.117+deb12-' + flavour
    version = '6.12.117-1~deb12u1'
    dpkg_query(system, {'linux-headers-' + kernel: ('linux-6.12', version),
                        'linux-source-6.12': ('linux-6.12', version)})
    status, out = system('status', '--json', '--kernel', kernel)
    assert status == 0
    assert json.loads(out)['version'] == version
    dpkg_query(system, {'linux-headers-' + kernel: ('linux-6.12', version)})
    status, out = system('status', '--kernel', kernel)
    assert 'apt-get install linux-source-6.12=%s\n' % version in out


def test_without_dpkg_nobody_is_told_to_apt_get(system):
    status, out = system('status', '--kernel', '6.1.141-165.249.amzn2023.x86_64')
    assert status == 0
    assert 'series     linux-6.1\n' in out
    assert 'build --source TREE --headers DIR' in out
    assert 'apt-get' not in out
    kernel = next(name for name in sorted(os.listdir('/lib/modules')) if name.startswith('6.1'))
    status, out = system('install', '--dry-run', '--kernel', kernel)
    assert status == 4
    assert 'build --source TREE --headers DIR' in out
    assert 'apt-get' not in out


def test_the_series_for_mainline_is_not_for_modules(system, tmp_path):
    """7.3 has two: what kvmgt links against changes in one of them."""
    status, out = system('status', '--kernel', '7.3.4+deb13-amd64')
    assert status == 0
    assert 'series     linux-7.3-modules\n' in out
    # nor does DKMS get it, or know of a kernel that only has that
    system('package-files', '--out', str(tmp_path / 'root'), '--package', 'x', '--as', '1')
    (source,) = (tmp_path / 'root/usr/src').iterdir()
    assert sorted(path.name for path in source.glob('linux-*')) == [
        'linux-6.1', 'linux-6.12', 'linux-7.3-modules']
    known = re.search('BUILD_EXCLUSIVE_KERNEL="(.*)"', (source / 'dkms.conf').read_text())[1]
    assert re.match(known, '7.3.4+deb13-amd64') and not re.match(known, '7.30.1-amd64')
    # what apply needs to know
    assert (source / 'linux-7.3-modules/files').exists()


def make(folder, **files):
    for name, text in files.items():
        path = folder / name.replace('__', '/').replace('_dot_', '.')
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(folder)


def test_source_and_headers_that_are_named_must_fit(system, tmp_path):
    tree = make(tmp_path / 'tree', Makefile='VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 141\n')
    headers = make(tmp_path / 'headers', Makefile='',
                   include__config__kernel_dot_release='6.1.155-176.282.amzn2023.x86_64\n')
    out = str(tmp_path / 'out')

    def build(*args):
        return system('build', '--out', out, *args)
    status, said = build('--source', tree, '--headers', headers)
    assert status == 4
    assert 'is of Linux 6.1.141' in said and 'of 6.1.155-176.282.amzn2023.x86_64' in said
    status, said = build('--source', tree)
    assert status == 2 and '--source and --headers go together' in said
    status, said = build('--source', tree, '--headers', out)
    assert status == 4 and 'no Makefile' in said
    # one that fits: the source is looked at
    make(tmp_path / 'headers',
         include__config__kernel_dot_release='6.1.141-165.249.amzn2023.x86_64\n')
    status, said = build('--source', tree, '--headers', headers)
    assert status == 1 and 'cannot be unpacked' in said
    # of a release that there is no series for
    make(tmp_path / 'tree', Makefile='VERSION = 5\nPATCHLEVEL = 10\nSUBLEVEL = 1\n')
    make(tmp_path / 'headers', include__config__kernel_dot_release='5.10.1-1.x86_64\n')
    status, said = build('--source', tree, '--headers', headers)
    assert status == 3 and 'no series for kernel 5.10.1-1.x86_64' in said


@pytest.mark.parametrize('status', [0, 1]) # newer versions of mokutil, older ones
def test_a_key_that_is_enrolled_is_known_by_what_mokutil_says(system, tmp_path, status):
    make(tmp_path / 'security', lockdown='none [integrity] confidentiality\n')

    def says(text, status):
        command(system, 'mokutil', 'echo "$2 is %s"; exit %d\n' % (text, status))
        return system('status', '--json', __sys__kernel__security=tmp_path / 'security')
    code, out = says('already enrolled', status)
    assert code == 0
    assert json.loads(out)['signing'] == {'enforced': True, 'key_enrolled': True}
    code, out = says('not enrolled', 1 - status)
    assert json.loads(out)['signing'] == {'enforced': True, 'key_enrolled': False}


def test_a_key_that_waits_for_a_reboot_is_not_enrolled(system, tmp_path):
    make(tmp_path / 'security', lockdown='none [integrity] confidentiality\n')
    make(tmp_path / 'lib' / 'dkms', mok_dot_pub='the certificate')
    print_of = hashlib.sha1(b'the certificate').hexdigest()

    def enrolled(waiting):
        prints = ':'.join(re.findall('..', waiting))
        command(system, 'mokutil', """case $1 in
                --test-key) echo "$2 is already enrolled" ;;
                --list-new) echo '[key 1]'; echo 'SHA1 Fingerprint: %s' ;;
                esac; exit 1\n""" % prints)
        code, out = system('status', '--json', __sys__kernel__security=tmp_path / 'security',
                           __var__lib=tmp_path / 'lib')
        assert code == 0
        return json.loads(out)['signing']['key_enrolled']
    assert enrolled('00' + print_of[2:])
    assert not enrolled(print_of)


def test_an_initramfs_with_vfio_and_much_else_is_made_anew(system, tmp_path):
    kernel = '6.12.117+deb13-amd64'
    boot = make(tmp_path / 'boot', **{'initrd_dot_img-' + kernel: ''})
    for name in 'dracut', 'lsinitrd':
        (system.bin / name).unlink(missing_ok=True)
    command(system, 'depmod', '')
    command(system, 'update-initramfs', 'echo "made anew: $*"\n')
    # more than a pipe holds, behind what is looked for
    command(system, 'lsinitramfs', """set -e
        echo usr/lib/modules/%s/kernel/drivers/vfio/vfio.ko.xz
        i=0; while [ $i -lt 3000 ]; do
                echo usr/lib/firmware/one-of-many-files-with-a-long-name-$i.bin
                i=$((i + 1))
        done\n""" % kernel)
    status, out = system('dkms-initramfs', '--kernel', kernel, __boot=boot)
    assert (status, out) == (0, 'made anew: -u -k %s\n' % kernel)
    command(system, 'lsinitramfs', 'echo usr/bin/sh\n')
    assert system('dkms-initramfs', '--kernel', kernel, __boot=boot) == (0, '')


def test_what_is_loaded_is_known_where_nothing_can_be_compiled(system, tmp_path):
    """A fresh machine has no readelf."""
    kernel = '6.12.117+deb13-amd64'
    command(system, 'uname', 'echo %s\n' % kernel)
    (system.bin / 'readelf').unlink()
    modules = tmp_path / 'module'
    with lzma.open('/lib/modules/%s/kernel/drivers/vfio/vfio.ko.xz' % kernel) as f:
        note = re.search(rb'\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0.{20}', f.read(), re.DOTALL)[0]
    for name, content in ('vfio', note), ('vfio_pci', note[:-1] + bytes([note[-1] ^ 1])):
        (modules / name / 'holders').mkdir(parents=True)
        (modules / name / 'notes').mkdir()
        (modules / name / 'notes/.note.gnu.build-id').write_bytes(content)
    status, out = system('status', '--json', __sys__module=modules)
    assert status == 0
    loaded = {m['name']: m['loaded'] for m in json.loads(out)['modules']}
    assert loaded['vfio'] == 'stock' and loaded['vfio-pci'] == 'other'


@pytest.mark.parametrize('image', ['linux-image-%s', 'linux-image-%s-unsigned',
                                   'linux-image-unsigned-%s'])
def test_headers_to_come_are_of_the_version_of_the_image(system, tmp_path, image):
    kernel = '6.12.117+deb13-amd64'
    (tmp_path / kernel).mkdir()
    (tmp_path / kernel / 'modules.order').write_text('kernel/drivers/vfio/vfio.ko\n')
    dpkg_query(system, {image % kernel: ('linux', '6.12.117-1')})
    status, out = system('install', '--dry-run', '--kernel', kernel, __lib__modules=tmp_path)
    assert status == 4
    assert 'linux-headers-%s linux-source-6.12=6.12.117-1\n' % kernel in out

# SPDX-License-Identifier: BSD-3-Clause
"""Debian packages (packaging/), built and tried in root file systems of their suites
(lab/host/package.sh)."""

import argparse
import filecmp
import os
import re
import shutil
import subprocess
import tempfile

import build
from guest import LabError, say

SUITES = ('bookworm', 'trixie')
# What lintian says that is so on purpose: nobody uploads these.
FINE = ('backports-changes-missing', 'debian-watch-file-is-missing')


def inside(suite, *command):
    """The command, where packages of a suite are made; with None in the lab's own root file system.
    Only /lab and /tmp are everywhere the same."""
    return build.in_suite(suite and 'package_' + suite, command)


def make(suite, out, tests):
    """Packages for a suite, into the directory out; their paths."""
    build.run(inside(suite, 'env', 'DEB_BUILD_OPTIONS=' + ('' if tests else 'nocheck'),
                     '/src/packaging/build', out,
                     *([] if suite else ['--no-check-builddeps'])), 'packaging/build')
    return sorted(os.path.join(out, name) for name in os.listdir(out))


def lintian(suite, out):
    """What it has to say of them that is not so on purpose."""
    done = subprocess.run(inside(suite, 'sh', '-c', 'cd "$1" && exec lintian --display-info '
                                 '--allow-root *.changes', '-', out),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    found = [line for line in done.stdout.splitlines() if re.match('[EWI]: ', line)]
    if done.returncode not in (0, 1, 2) or done.returncode and not found:
        raise LabError('lintian: exit status %d\n%s' % (done.returncode, done.stdout))
    return [line for line in found if not re.search(': (%s)( |$)' % '|'.join(FINE), line)]


def attempt(suite, out):
    """packaging/try: what it said."""
    return build.run(inside(suite, '/src/packaging/try', out), 'packaging/try')


def differences(one, other):
    """Between what two builds made, the note on the machine that built (.buildinfo) and what names
    its checksum apart."""
    names = {name for path in (one, other) for name in os.listdir(path)
             if not name.endswith(('.buildinfo', '.changes'))}
    return sorted(set().union(*filecmp.cmpfiles(one, other, names, shallow=False)[1:]))


def do_package(argv):
    parser = argparse.ArgumentParser(prog='lab/run package', add_help=False)
    parser.add_argument('--try', dest='attempt', action='store_true')
    args = parser.parse_args(argv)
    status = 0
    for suite in SUITES:
        if 'package_' + suite not in build.suites():
            continue
        with tempfile.TemporaryDirectory(dir='/lab') as out, \
                tempfile.TemporaryDirectory(dir='/lab') as again:
            say('%s: building, with the unit tests' % suite)
            for path in make(suite, out, True):
                print(os.path.basename(path))
            found = lintian(suite, out)
            print('\n'.join(['lintian: ' + line for line in found or ['nothing']]), flush=True)
            status |= bool(found)
            if args.attempt:
                say('%s: trying them (autopkgtest, piuparts)' % suite)
                print(attempt(suite, out), flush=True)
                say('%s: building again' % suite)
                make(suite, again, False)
                apart = differences(out, again)
                print('\n'.join(['differs: ' + name for name in apart] or
                                ['built twice: the same files']), flush=True)
                status |= bool(apart)
            shutil.copytree(out, '/results/packages/' + suite)
    return int(status)

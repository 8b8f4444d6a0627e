# SPDX-License-Identifier: BSD-3-Clause
"""Planted faults (lab/mutants/*.patch): each must turn the test red that its file names.

A mutant is played in a mount namespace of its own, where the repository and its build have a layer
on top that goes away with it. A mutant of layer "kernel" or "dpdk" changes the kernel's or DPDK's
tree with the series applied instead, and is a key of what is built from it (build.planted()).

The head of a file says what is broken, then, in lines of their own:

    Test: the id of the test that must turn red
    Red: a regex that must match the name of a result that is "not ok"
    Kernel: 6.1 6.12 7.x        the series that a mutant of layer "kernel" is played on (also
                                7.x-modules)
    Stage: test                 played in every run of the tests; otherwise by --mutants
"""

import os
import re
import subprocess
import sys
import tempfile

import build
from guest import LabError
from results import junit

ROOT = '/results/mutants'


class Mutant:
    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)[:-len('.patch')]
        with open(path, encoding='utf-8') as f:
            head = re.split(r'^(?:---|diff) ', f.read(), maxsplit=1, flags=re.M)[0]
        keys = dict(re.findall(r'^(Test|Red|Kernel|Stage): *(.*?) *$', head, re.M))
        self.layer = self.name.partition('-')[0]
        self.kernels = keys.get('Kernel', '').split()
        self.stage = keys.get('Stage', 'mutants')
        self.test, self.red = keys.get('Test'), keys.get('Red')
        if not self.test or not self.red or (self.layer == 'kernel') != bool(self.kernels):
            raise LabError('%s: its head lacks Test:, Red: or, for a kernel series, Kernel:' % path)

    def test_on(self, kernel):
        """The id of the test on one of its kernels."""
        return self.test if kernel in (None, build.DEFAULT_KERNEL) else \
            '%s@%s' % (self.test, kernel)

    def tests(self):
        return [self.test_on(kernel) for kernel in self.kernels or [None]]


def run(test_id, patch='', name='control'):
    """The failed results of one test, played on the repository with a patch, as names; and what
    the run printed."""
    os.makedirs(ROOT, exist_ok=True)
    out = tempfile.mkdtemp(prefix=name + '-', dir=ROOT)
    command = ['unshare', '--mount', '--', sys.executable, __file__, patch, test_id, out]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, errors='replace', check=False)
    try:
        with open(out + '/junit.xml', encoding='utf-8') as f:
            found = junit(f.read())
    except (OSError, SyntaxError):
        found = []
    if not found or any(case == 'any case' for _, case, *_ in found):
        raise LabError('the run of %s ended with status %d before any test\n%s' %
                       (test_id, done.returncode, done.stdout[-3000:]))
    return [case for _, case, verdict, _ in found if verdict == 'not ok'], done.stdout


def play(mutant, kernel):
    """Raises LabError if nobody noticed; returns the name of a result that turned red."""
    failed, output = run(mutant.test_on(kernel), mutant.path, mutant.name)
    for name in failed:
        # of a unit test it is "TEST: NUMBER - NAME"
        if re.search(mutant.red, re.sub(r'^\S+: \d+ - ', '', name)):
            return name
    raise LabError('nobody noticed%s\n%s' % (
        failed and ': red were only %s, none is "%s"' % (failed, mutant.red), output[-3000:]))


def control(test_id):
    """What is wrong with a test without any mutant, or ''."""
    try:
        failed, output = run(test_id)
    except LabError as error:
        return str(error)
    return failed and 'red without a mutant: %s\n%s' % (failed, output[-3000:]) or ''


# --- In the namespace -----------------------------------------------------------------------------

def mount(*args):
    subprocess.run(['mount', *args], check=True)


def layer(path, scratch):
    """What is written to path from here on is written to scratch."""
    for name in 'upper', 'work':
        os.makedirs('%s/%s' % (scratch, name))
    mount('-t', 'overlay', '-o', 'lowerdir=%s,upperdir=%s/upper,workdir=%s/work' %
          (path, scratch, scratch), 'mutant', path)


def inside(patch, test_id, out):
    os.makedirs('/tmp/lab-root', exist_ok=True)
    mount('--bind', '/lab/root', '/tmp/lab-root')
    mount('-t', 'tmpfs', '-o', 'mode=755', 'lab', '/lab')
    os.makedirs('/lab/root')
    mount('--move', '/tmp/lab-root', '/lab/root')
    layer('/src', '/lab/mutant/src')
    tree = '%s/build/%s-gcc' % (build.CACHE, build.tree())
    if os.path.isdir(tree):
        layer(tree, '/lab/mutant/build')
    if os.path.basename(patch).startswith(('kernel-', 'dpdk-')):
        os.environ['LAB_MUTANT'] = patch
    elif patch:
        subprocess.run(['patch', '-s', '-p1', '-d', '/src', '--no-backup-if-mismatch', '-i', patch],
                       check=True)
    mount('--bind', out, '/results')
    command = [sys.executable, '/src/lab/host/main.py', 'test', '--exactly', test_id]
    os.execv(sys.executable, command)


if __name__ == '__main__':
    inside(*sys.argv[1:])

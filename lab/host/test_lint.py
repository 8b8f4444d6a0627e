# SPDX-License-Identifier: BSD-3-Clause
"""What linters say of this tree: nothing. Their settings, each with its reason, are at its top.

flake8, not ruff, which Debian 13 does not have.
"""

import concurrent.futures
import glob
import os
import re
import subprocess
import tempfile
import unittest

TREE = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
COLUMNS, TAB = 100, 8
# Not ours to word or to format: what git, builds and a fuzzer put there, licences, and patches,
# which have the kernel's style and the context of what they change.
NOT_OURS = re.compile(r'\.git|build[^/]*|license|lab/ena/fuzz/corpus|.*/__pycache__|'
                      r'.*(\.patch|\.swp|~)')
# What a program prints is as wide as it is; a string in JSON cannot be wrapped.
WIDE = re.compile(r'.*\.json|app/test-wc-perf/test/table\.txt|lab/tests/.*\.results|'
                  r'kernel-patch/linux-.*/files|packaging/(debian/changelog|rpm/.*\.spec)')


def ours():
    """The paths, from the top of the tree, of all files that are ours."""
    for folder, folders, files in os.walk(TREE):
        def mine(names):
            paths = [os.path.relpath(os.path.join(folder, name), TREE) for name in sorted(names)]
            return [path for path in paths if not NOT_OURS.fullmatch(path)]
        folders[:] = map(os.path.basename, mine(folders))
        yield from mine(files)


def read(path):
    with open(os.path.join(TREE, path), encoding='utf-8') as f:
        return f.read()


def scripts(suffix, head):
    """Files with that suffix, and those with none that begin with such a line."""
    return [path for path in ours() if path.endswith(suffix) or
            '.' not in os.path.basename(path) and re.search(head, read(path)[:200], re.M)]


class Lint(unittest.TestCase):
    def silent(self, command, paths):
        """The command says nothing of these paths, which it is given in parts at the same time."""
        self.assertTrue(paths)
        parts = [paths[n::8] for n in range(8)]

        def says(part):
            done = subprocess.run([*command, *part], cwd=TREE, stdout=subprocess.PIPE, text=True,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
            return done.stdout or done.returncode and 'exit status %d\n' % done.returncode or ''
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            self.none(''.join(pool.map(says, filter(None, parts))))

    def none(self, findings):
        if findings:
            self.fail('\n' + findings)

    def test_shellcheck(self):
        self.silent(['shellcheck', '--format=gcc'],
                    scripts('.sh', r'\A#!.*\b(ba)?sh\b|^# shellcheck shell='))

    def test_flake8(self):
        self.silent(['flake8'], scripts('.py', r'\A#!.*\bpython'))

    def test_codespell(self):
        self.silent(['codespell'], list(ours()))

    def test_documentation_builds(self):
        with tempfile.TemporaryDirectory() as out:
            self.silent(['sphinx-build', '-W', '-n', '--keep-going', '-q', '-d', out + '/trees',
                         TREE + '/doc'], [out + '/html'])

    def test_files_that_prose_names_are_there(self):
        """Paths from the top of the tree, or from where the text stands: all whose first folder
        is there. drivers/vfio is the kernel's, tests that are named are test_doc.py's."""
        names = re.compile(r'(?<![\w/.<@-])(?!drivers/vfio\b|\S*(?:NAME|TOPIC|LAYER|MAJOR))'
                           r'(\w[\w-]*)/[\w./*-]*[\w*]')
        found = ''
        for path in filter(re.compile(r'.*\.(md|rst)').fullmatch, ours()):
            def there(name, folder=os.path.dirname(path)):
                return any(glob.glob(os.path.join(TREE, root, name)) for root in ('', folder))
            for number, line in enumerate(read(path).split('\n'), 1):
                for name in names.finditer(re.sub(':test:`[^`]*`', '', line)):
                    if there(name[1]) and not there(name[0]):
                        found += '%s:%d: %s is not there\n' % (path, number, name[0])
        self.none(found)

    def test_columns(self):
        self.none(''.join('%s:%d: %d columns\n' % (path, number, len(line))
                          for path in ours() if not WIDE.fullmatch(path)
                          for number, line in enumerate(read(path).expandtabs(TAB).split('\n'), 1)
                          if len(line) > COLUMNS))


if __name__ == '__main__':
    unittest.main()

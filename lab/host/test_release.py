# SPDX-License-Identifier: BSD-3-Clause
"""lab/run release, in a repository whose tests and packages are stubs."""

import os
import subprocess

import pytest

SCRIPT = os.path.dirname(os.path.realpath(__file__)) + '/release.sh'
CHANGELOG = '''# Changelog

## [Unreleased]

## [1.2.3] - 2026-01-02

### Added

- Something.

## [1.2.0] - 2025-01-02

- Something old.
'''
RUN = '''#!/bin/sh
case $1 in
test) echo 'ok a'; echo '%s'; exit %d ;;
package) for out; do :; done; echo deb >"$out/a.deb"; exit %d ;;
esac
'''


class Repository:
    def __init__(self, path):
        self.path, self.out = path / 'repo', path / 'out'
        self.out.mkdir()
        for name, text in {'kernel-patch/version': '1.2.3\n', 'CHANGELOG.md': CHANGELOG,
                           'packaging/debian/changelog': 'x (1.2.3-1) unstable; urgency=medium\n',
                           'lab/run': RUN % ('2 passed, 0 failed', 0, 0)}.items():
            self.write(name, text)
        self.git('init', '-q')
        self.commit()

    def write(self, name, text):
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)

    def git(self, *command):
        return subprocess.run(['git', '-c', 'user.name=a', '-c', 'user.email=a@b', *command],
                              cwd=self.path, check=True, text=True, stdout=subprocess.PIPE).stdout

    def commit(self):
        self.git('add', '-A')
        self.git('commit', '-qm', 'all')

    def release(self, level='fast'):
        done = subprocess.run(['bash', '-c', '''
            set -euo pipefail
            die() { echo "$*"; exit 2; }
            say() { :; }
            repo=$1
            . "$2"
            release "$3" "$4"''', '-', str(self.path), SCRIPT, str(self.out), level],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        return done.returncode, done.stdout


@pytest.fixture(name='repo')
def a_repository(tmp_path):
    return Repository(tmp_path)


def test_it_has_all_and_says_what_was_tested(repo):
    status, said = repo.release()
    assert status == 0, said
    head = repo.git('rev-parse', 'HEAD').strip()
    assert said.endswith('git tag -a -F %s/NOTES.md v1.2.3 %s && git push origin v1.2.3\n' %
                         (repo.out, head))
    assert (repo.out / 'NOTES.md').read_text() == (
        '# dpdk-vfio-wc 1.2.3\n\n### Added\n\n- Something.\n\n\nCommit %s. Tested by '
        '"lab/run test --fast": 2 passed, 0 failed.\n' % head)
    sums = subprocess.run(['sha256sum', '-c', 'SHA256SUMS'], cwd=repo.out, text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    assert sums == 'NOTES.md: OK\ndpdk-vfio-wc-1.2.3.tar.xz: OK\npackages/a.deb: OK\n'
    assert repo.git('tag') == ''


def dirty(repo):
    repo.write('lab/new', '')


def undated(repo):
    repo.write('CHANGELOG.md', CHANGELOG.replace(' - 2026-01-02', ''))
    repo.commit()


def of_another_version(repo):
    repo.write('packaging/debian/changelog', 'x (1.2.0-1) unstable; urgency=medium\n')
    repo.commit()


def tagged(repo):
    repo.git('tag', 'v1.2.3')


def not_empty(repo):
    (repo.out / 'old').write_text('')


def red(repo):
    repo.write('lab/run', RUN % ('1 passed, 1 failed', 1, 0))
    repo.commit()


def silent(repo):
    repo.write('lab/run', RUN % ('', 0, 0))
    repo.commit()


def bad_packages(repo):
    repo.write('lab/run', RUN % ('2 passed, 0 failed', 0, 1))
    repo.commit()


@pytest.mark.parametrize('fault, reason', [
    (dirty, 'git status has more'), (undated, 'CHANGELOG.md has no version 1.2.3 with a date'),
    (of_another_version, 'packaging/debian/changelog is of 1.2.0, not of 1.2.3'),
    (tagged, 'there is a tag v1.2.3'), (not_empty, 'is not empty'), (red, 'a test failed'),
    (silent, 'the tests have no closing line'),
    (bad_packages, 'the packages are not as they should be')])
def test_it_refuses(repo, fault, reason):
    fault(repo)
    status, said = repo.release()
    assert (status, reason in said) == (2, True), said
    assert not (repo.out / 'NOTES.md').exists()

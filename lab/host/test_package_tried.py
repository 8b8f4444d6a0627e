# SPDX-License-Identifier: BSD-3-Clause
"""The Debian packages (packaging/) of each suite: built with their unit tests, tried in a fresh
root file system, and built a second time."""

import pytest

import build
import packages

STAGE = 'long'


@pytest.fixture(name='built', scope='module', params=packages.SUITES)
def packages_built(request, tmp_path_factory):
    out = str(tmp_path_factory.mktemp('packages-' + request.param))
    packages.make(request.param, out, True)
    return request.param, out


def test_lintian_has_nothing_against_them(built):
    assert packages.lintian(*built) == []


def test_they_pass_their_own_tests_and_leave_nothing(built):
    said = packages.attempt(*built)
    assert 'installed            PASS' in said
    assert 'modules              PASS' in said
    assert 'PASS: All tests.' in said


def test_a_second_build_is_the_same(built, tmp_path):
    suite, out = built
    packages.make(suite, str(tmp_path), False)
    assert packages.differences(out, str(tmp_path)) == []


def test_rpms_are_built_and_rpmlint_has_nothing_against_them(tmp_path):
    """By Debian's rpmbuild; nobody tried them on Fedora."""
    said = build.run(packages.inside('trixie', '/src/packaging/rpm/build', str(tmp_path)),
                     'packaging/rpm/build')
    assert ' 5 packages and 1 specfiles checked; 0 errors, 0 warnings' in said

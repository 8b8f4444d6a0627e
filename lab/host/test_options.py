# SPDX-License-Identifier: BSD-3-Clause
"""The options of each tool are those of its --help: its manual page has the same, and so has what
bash completes."""

import functools
import os
import re
import subprocess

import pytest

import build

REPO = '/src/'
COMPLETION = REPO + 'app/completion/dpdk-vfio-wc'
TOOLS = {'dpdk-test-wc-perf': 1, 'dpdk-wc-info': 1, 'dpdk-wc-results': 1, 'vfio-wc-modules': 8,
         'vfio-wc-run': 1}


@pytest.fixture(scope='module', name='path')
def all_tools():
    """PATH with the tools in it."""
    built = build.meson('gcc')
    return ':'.join(['%s/app/%s' % (built, name) for name in
                     ('test-wc-perf', 'wc-info', 'vfio-wc-run')] +
                    [REPO + 'app/wc-results', REPO + 'kernel-patch', os.environ['PATH']])


def run(path, *command):
    done = subprocess.run(command, stdout=subprocess.PIPE, env={**os.environ, 'PATH': path},
                          stdin=subprocess.DEVNULL, text=True, check=True)
    return done.stdout


@functools.cache
def verbs(tool, path):
    """Those with a help of their own; [] for a tool that has none."""
    found = re.findall(r'^    ([a-z]+)  ', run(path, tool, '--help'), re.M)
    return [[verb] for verb in found] if tool == 'dpdk-wc-results' else []


@functools.cache
def of_help(path, *command):
    """Options where they are explained or shown, not where a sentence mentions another tool's."""
    found = set(re.findall(r'(?:^ +|  |, |\[|[A-Z] )(--?[A-Za-z][a-z-]*)',
                           run(path, *command, '--help'), re.M))
    assert {'-h', '--help'} <= found
    return found


def of_page(tool):
    with open('%sdoc/man/%s.%d.rst' % (REPO, tool, TOOLS[tool]), encoding='utf-8') as f:
        return set(re.findall(r'\*\*(--?[A-Za-z][a-z-]*)\*\*', f.read()))


def completed(path, *words):
    """What bash offers for the last of these words."""
    return set(run(path, 'bash', '-c', '''
        . "$0" && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _dpdk_vfio_wc "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\\n' "${COMPREPLY[@]}"''', COMPLETION, *words).split())


@pytest.mark.parametrize('tool', TOOLS)
def test_the_manual_page_has_the_options_of_the_help(tool, path):
    assert of_page(tool) == set().union(*(of_help(path, tool, *verb)
                                          for verb in [[], *verbs(tool, path)]))


def test_all_manual_pages_are_made():
    pages = {name.removesuffix('.rst') for name in os.listdir(REPO + 'doc/man')
             if name.endswith('.rst')}
    assert pages >= {'%s.%d' % item for item in TOOLS.items()}
    with open(REPO + 'doc/meson.build', encoding='utf-8') as f:
        assert set(re.findall(r"'([\w.-]+\.\d)'", f.read())) == pages


def test_all_are_completed(path):
    with open(COMPLETION, encoding='utf-8') as f:
        names = re.search(r'^complete .* _dpdk_vfio_wc (.*)', f.read(), re.M)[1].split()
    assert names == sorted(set(TOOLS) - {'vfio-wc-modules'})
    for tool in names:
        assert completed(path, tool, '-') == of_help(path, tool)
        for verb in verbs(tool, path):
            assert completed(path, tool, *verb, '-') == of_help(path, tool, *verb)
    assert completed(path, 'dpdk-wc-results', 'exp') == {'export'}
    assert completed(path, 'dpdk-wc-results', 'export', '--to') == {'--to'}
    assert completed(path, 'vfio-wc-run', '--mo') == {'--mode'}
    assert 'bash' in completed(path, 'vfio-wc-run', '--mode', 'auto', '--', 'bas')
    assert completed(path, 'vfio-wc-run', '--', 'bash', '--mo') == set()

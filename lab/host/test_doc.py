# SPDX-License-Identifier: BSD-3-Clause
"""What the documentation names is there: tests, files behind links, programs and their options.
(What commands print is compared where they can run: lab/test_doc in the guest, results/test_doc.)
"""

import glob
import json
import os
import re
import shlex
import shutil

import pytest

import build
from test_options import TOOLS, all_tools, of_help, run, verbs # noqa: F401: a fixture

REPO = '/src/'
PAGES = sorted(path for pattern in ('*.md', 'lab/*.md', 'dpdk-patch/*.md', 'doc/*.rst',
                                    'doc/man/*.rst') for path in glob.glob(REPO + pattern))
# Not in the lab, and not ours: what a page says that it is of, or a name that stands for one.
ELSEWHERE = {'dpdk-devbind.py', 'depmod', 'dkms', 'dracut', 'mokutil', 'my-driver', 'reboot'}
SCRIPT = re.compile(r'(?:\./)?((?:kernel-patch|dpdk-patch)/[\w-]+|lab/run)$')


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


@pytest.fixture(scope='module', name='ids')
def all_ids():
    """As lab/run test --long --list prints them, and those of the unit tests."""
    found = run(os.environ['PATH'], 'python3', REPO + 'lab/host/main.py', 'test', '--long',
                '--list').split('\n')
    tests = run(os.environ['PATH'], 'meson', 'introspect', '--tests', build.meson('gcc'))
    return found + ['unit/gcc/' + test['name'] for test in json.loads(tests)]


def missing(text, ids, cases):
    """A name without a slash is a case of lab/guest/programs/cookies."""
    return [name for name in re.findall(r':test:`([^`]*)`', text)
            if name not in cases and
            not any(re.match(re.escape(name) + r'(?:(?:\.py)?(?:::|@)|$)', one) for one in ids)]


def test_tests_that_are_named_are_there(ids):
    cases = {'.'.join(pair) for path in glob.glob(REPO + 'lab/guest/programs/cookies/*.c')
             for pair in re.findall(r'^TEST_F\((\w+), (\w+)\)', read(path), re.M)}
    named = ''.join(read(path) for path in PAGES if path.endswith('.rst'))
    assert len(re.findall(':test:`', named)) > 100
    assert missing(named, ids, cases) == []
    for wrong in 'ena/w', 'wc4.nothing', 'host/test_do', 'unit/gcc/drive':
        assert missing(':test:`%s`' % wrong, ids, cases) == [wrong]


def test_links_of_markdown_lead_somewhere():
    links = [(path, link) for path in PAGES if path.endswith('.md')
             for link in re.findall(r'\]\((?!https?:|#)([^)#]+)', read(path))]
    assert len(links) > 15
    assert [pair for pair in links
            if not os.path.exists(os.path.join(os.path.dirname(pair[0]), pair[1]))] == []


def lines_of(text):
    """(command, whether it has a prompt) of all lines of literal blocks that may be one."""
    text = re.sub(r'\$\([^)]*\)', 'X', re.sub(r' *\\\n +', ' ', text))
    consoles = ''.join(re.findall(r'^\.\. code-block:: console\n\n((?:   .*\n|\n)+)', text, re.M))
    prompt = {*re.findall('^ +# (.*)', consoles, re.M), *re.findall('^ +[$] (.*)', text, re.M)}
    for line in prompt | set(re.findall(r'^ {3,}([^\s#$].*)$', text, re.M)):
        yield re.split(r' {3,}', line)[0], line in prompt


def simple(words):
    """Commands of a line: what stands between |, ;, && and behind the -- of a launcher."""
    command = []
    for word in [*words, ';']:
        launched = word == '--' and command and os.path.basename(command[0]) == 'vfio-wc-run'
        if launched or re.fullmatch('[|;&]+', word):
            if command:
                yield command
            command = []
        else:
            command.append(word)


def wrong_in(command, prompt, path):
    """What the matter is with a command, a line each."""
    name = os.path.basename(command[0])
    script = SCRIPT.match(command[0])
    options = {word.partition('=')[0] for word in command[1:command.index('--')
               if '--' in command else None] if re.match('--?[A-Za-z]', word)}
    if name in TOOLS:
        of = [[name], *([name, *verb] for verb in verbs(name, path) if verb == command[1:2])]
    elif script:
        if not os.access(REPO + script[1], os.X_OK):
            return ['%s is not there' % command[0]]
        verb = command[1:2] if script[1] == 'lab/run' else []
        of = [[REPO + script[1], *verb]]
        if verb == ['shell']:
            of.append([REPO + script[1], 'exec'])
    else:
        there = name in ELSEWHERE or shutil.which(name, path=path + ':' + REPO + 'lab/guest/bin')
        return ['there is no program %s' % name] * (prompt and not there)
    known = set().union(*(of_help(path, *words) if words[0] in TOOLS else
                          set(re.findall(r'(?<![\w-])--?[a-z][\w-]*', run(path, *words, '--help')))
                          for words in of))
    return ['%s has no %s' % (' '.join(command[:2]), option) for option in sorted(options - known)]


def wrong(text, path):
    found = []
    for line, prompt in lines_of(text):
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError: # prose, or what a program prints
            found += ['%s: cannot be read' % line] * prompt
            continue
        for command in simple(words):
            found += wrong_in(command, prompt, path)
    return found


def test_programs_and_options_in_commands_are_there(path):
    assert [(page, what) for page in PAGES for what in wrong(read(page), path)] == []


@pytest.mark.parametrize('line, what', [
    ('$ dpdk-wc-infos', 'there is no program dpdk-wc-infos'),
    ('dpdk-wc-info --opens', 'dpdk-wc-info --opens has no --opens'),
    ('./lab/run test --fast --slow', './lab/run test has no --slow'),
    ('$ true | vfio-wc-run \\\n    -- dpdk-wc-info -x', 'dpdk-wc-info -x has no -x'),
    ('dpdk-wc-results show --to x', 'dpdk-wc-results show has no --to'),
    ('kernel-patch/applies --to x', 'kernel-patch/applies is not there')])
def test_a_wrong_command_is_found(path, line, what):
    assert wrong('::\n\n    %s\n' % line, path) == [what]

# SPDX-License-Identifier: BSD-3-Clause
"""doc/errors.rst has each message of the sources, and none that no source has.

A message is what a call that reports has among its arguments, and, so that a new way to report is
not overlooked, any other string of three words that is not said to be something else. What varies
is "%s" in C and Python, $... in the shell, <...> on the page; all of it is one mark here."""

import ast
import glob
import os
import re

import pytest

REPO = os.path.realpath(os.path.dirname(__file__) + '/../..')
SOURCES = [path for pattern in (
    'lib/*/*.[ch]', 'drivers/misc/vfio_wc/*.[ch]', 'app/*/*.[ch]', 'app/wc-results/wc_results/*.py',
    'kernel-patch/vfio-wc-modules', 'lab/run', 'lab/host/*.sh')
    for path in sorted(glob.glob(REPO + '/' + pattern))]
REPORTS = {'LOG', 'rte_log', 'vfio_wc_fail', 'FAIL', 'because', 'refuse', 'complain', 'say', 'fail',
           'warn', 'BECAUSE', 'say_cookies', 'reason', 'sentence', 'stderr', 'die'}
# What is printed for one who asked, what is asked of others; add() and words() have what mends.
OTHERS = {'printf', 'fprintf', 'add', 'words', 'sscanf', 'strstr', 'rte_telemetry_register_cmd',
          'witness_ask', 'testpmd_command', '_Static_assert', 'static_assert', 'volatile'}
NO_CODE = re.compile(r'/\*.*?\*/|\\\n|^#\s*(?:include|error|define FAIL).*?$|'
                     r'^static const char usage\w*\[\].*?;$', re.M | re.S)
VARIES = re.compile(r'%[-+#0-9.*]*(?:hh?|ll?|j|z)?[a-zA-Z]|\$\{[^}]*\}|\$[\w*@]+|<\w[^<>]*>')
WHOSE = re.compile(r'^(lab/run|vfio_wc|vfio-wc-run|vfio-wc-modules|dpdk-[a-z-]+)(: ?|$)')


def plain(text):
    """As it is compared: blanks, and marks at either end, do not count, nor does who says it."""
    text = ' '.join(text.replace('\\n', ' ').replace('\\"', '"').split())
    text = re.sub(r'\*[*\s]*\*', '*', VARIES.sub('*', WHOSE.sub('', text)))
    return text.replace('%%', '%').strip(' .,;:')


def is_message(text, least):
    """Has it so many words? With something that varies, one is enough for a call that reports."""
    words = len(re.findall(r'(?<!\S)\S*[A-Za-z]{2}\S*', text))
    return 0 < words >= least - ('*' in text and least == 2) and re.search('[A-Za-z]{3}', text)


def of_c(source):
    """Strings in a row are one, with PRIx64 and the like between them."""
    calls, text, before = [''], None, ''
    for token in re.findall(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\])+\'|\w+|\S',
                            NO_CODE.sub('', source) + ';'):
        if token[0] == '"':
            text = (text or '') + token[1:-1]
        elif text is not None and re.fullmatch(r'[A-Z][A-Z_]{3,}|PRI\w+', token):
            text += 's' if re.search(r'%[0-9.]*$', text) else '%s'
        else:
            if text is not None and calls[-1] not in OTHERS:
                yield text, 2 if calls[-1] in REPORTS else 3
            text = None
            if token == '(':
                calls.append(before)
            elif token == ')':
                calls.pop()
            elif token == 'stderr':
                calls[-1] = token
        before = token


def of_python(source):
    """What is raised, said, printed as an error, or handed back in a list of what is wrong."""
    for node in ast.walk(ast.parse(source)):
        name = getattr(getattr(node, 'func', None), 'id', '')
        if isinstance(node, ast.Raise) or name == 'say' or \
                isinstance(node, ast.Return) and isinstance(node.value, ast.List) or \
                name == 'print' and any(keyword.arg == 'file' for keyword in node.keywords):
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value, 2


def of_shell(source):
    source = re.sub(r"<<-('?)END\1\n.*?\n\tEND\n|\\\n|(?<!\S)# [^\n]*", '', source, flags=re.S)
    for _ in range(4):
        source = re.sub(r'\$\((?:[^()]|\([^()]*\))*\)', '$x', source)
    source = re.sub(r'plan\+=\((?:[^()"]|"[^"]*")*\)', '', source)
    for die, text in re.findall(r'(\bdie (?:\d )?)?(?:\'[^\']*\'|"((?:\\.|[^"\\])*)")', source):
        yield text, 2 if die else 3


def messages(path, source):
    """Of the lab what ends it: what else it says is how far it is, and of packages to fetch."""
    read = {'.c': of_c, '.h': of_c, '.py': of_python}.get(os.path.splitext(path)[1], of_shell)
    return {plain(text) for text, words in read(source) if is_message(plain(text), words) and
            (words == 2 or not path.startswith(REPO + '/lab/'))}


def of_page(text):
    """The literal blocks: a line each, what is indented more goes on."""
    blocks = re.findall(r'^::\n\n((?:    .*\n|\n)+)', text, re.M)
    return [plain(line) for block in blocks
            for line in re.sub(r'\n {5,}', ' ', block).splitlines() if line.strip()]


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def compare(page, sources):
    """(messages that the page lacks, entries that no source has)"""
    said = {message: os.path.relpath(path, REPO) for path, text in sources.items()
            for message in messages(path, text)}
    return (['%s: %s' % (said[message], message) for message in sorted(set(said) - set(page))],
            sorted(set(page) - set(said)))


@pytest.fixture(scope='module', name='page')
def the_page():
    return of_page(read(REPO + '/doc/errors.rst'))


@pytest.fixture(scope='module', name='sources')
def all_sources():
    return {path: read(path) for path in SOURCES}


def test_page_has_all_messages_and_no_others(page, sources):
    assert len(page) > 250
    assert compare(page, sources) == ([], [])


@pytest.mark.parametrize('name, text, message', [
    ('a.c', 'LOG(ERR, "%s: gone at 0x%" PRIx64\n\t", by " WHOM, a, b);', '*: gone at 0x*, by *'),
    ('a.c', '/* "no" */ report_anew(x, "this one is new: %d", 1);', 'this one is new: *'),
    ('a.c', 'fprintf(stderr, "%s", e ? "" : "it is not there");', 'it is not there'),
    ('a.h', '#define WHY "nobody knows why"', 'nobody knows why'),
    ('a.py', "raise Unusable('%s: no' ' answer' % path)", '*: no answer'),
    ('a.py', "print('%s: lost' % a, file=sys.stderr)", '*: lost'),
    ('tool', 'x || die 3 "kernel $(f "$(g "a")") \\\nis ${old:-none}"', 'kernel * is *'),
    ('tool', 'text+=("or say\n--less of it") # a "comment of words"', 'or say --less of it'),
    ('lab/a', 'say "$x of all so far"; die "no lab for $x"', 'no lab for *')],
    ids=['joined', 'unknown-call', 'stderr', 'macro', 'raise', 'print', 'die', 'array', 'lab'])
def test_a_new_message_is_found(page, sources, name, text, message):
    new = {**sources, REPO + '/' + name: text}
    assert compare(page, new) == (['%s: %s' % (name, message)], [])


def test_an_old_entry_is_found(page, sources):
    assert compare(page + ['what nobody says'], sources) == ([], ['what nobody says'])

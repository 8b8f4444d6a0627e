# SPDX-License-Identifier: BSD-3-Clause
"""Who may include from whom: the drawing in doc/design.rst ("The path of one store"), which is read
here, and nothing in a circle. A folder of tests (test, fuzz) may include what its owner may, the
owner itself, and the tests' parts of all that is below; only tests include from tests."""

import os
import re

import pytest

REPO = os.path.realpath(os.path.dirname(__file__) + '/../..')
TESTS = ('test', 'fuzz')


class Tree:
    def __init__(self, root):
        self.root = root
        with open(root + '/doc/design.rst', encoding='utf-8') as f:
            drawing = re.search(r'^The path of one store\n-+\n.*?^::\n\n(.*?)^\S', f.read(),
                                re.M | re.S)
        # {folder: those that it may include from}, from top to bottom
        self.drawn = {folder: arrows.replace(',', '').split() for folder, arrows in re.findall(
            r' ((?:app|drivers|lab|lib)/\S+)(?: -> (.*))?$',
            re.sub(r',\n *\| +', ', ', drawing.group(1)), re.M)}
        self.files = {}     # path: text without comments
        for top in 'app', 'drivers', 'lab', 'lib':
            for folder, _, names in os.walk('%s/%s' % (root, top)):
                for name in names:
                    if name.endswith(('.c', '.h')):
                        path = '%s/%s' % (folder, name)
                        with open(path, encoding='utf-8') as f:
                            self.files[os.path.relpath(path, root)] = re.sub(
                                r'/\*.*?\*/|//[^\n]*', '', f.read(), flags=re.S)

    def folders(self):
        return {os.path.dirname(path) for path in self.files}

    def allowed(self, folder):
        owner, _, last = folder.rpartition('/')
        if last not in TESTS:
            return self.drawn.get(folder, [])
        order = list(self.drawn)
        below = order[order.index(owner):] if owner in order else []
        return [owner, *self.drawn.get(owner, [])] + [
            '%s/%s' % (name, test) for name in below for test in TESTS]

    def resolve(self, path, name):
        """The file that an #include "name" in path means; None: it is not in this tree."""
        folder = os.path.dirname(path)
        near = os.path.normpath('%s/%s' % (folder, name))
        if near in self.files:
            return near
        found = [other for other in self.files if other.endswith('/' + name)]
        allowed = [other for other in found if os.path.dirname(other) in self.allowed(folder)]
        return (allowed or found or [None])[0]

    def includes(self):
        """(file, file that it includes) for all in this tree."""
        for path, text in sorted(self.files.items()):
            for name in re.findall(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', text, re.M):
                target = self.resolve(path, name)
                if target:
                    yield path, target

    def calls(self):
        """(file, file of the same folder with a function that it names) for all .c files."""
        owners = {}     # (folder, function): file
        for path, text in self.files.items():
            if path.endswith('.c'):
                for function in re.findall(r'^(?!static\b)[A-Za-z][\w *]*\n(\w+)\(', text, re.M):
                    owners[os.path.dirname(path), function] = path
        for path, text in sorted(self.files.items()):
            if path.endswith('.c'):
                code = re.sub(r'"(\\.|[^"\\\n])*"', '', text)
                for word in sorted(set(re.findall(r'(?<!\.)(?<!->)\b\w+', code)) - {'main'}):
                    owner = owners.get((os.path.dirname(path), word), path)
                    if owner != path:
                        yield path, owner


def circle(edges):
    """The nodes of a circle, in its order; [] when there is none."""
    follow = {}
    for a, b in edges:
        follow.setdefault(a, []).append(b)
    done = set()

    def visit(node, trail):
        if node in trail:
            return trail[trail.index(node):] + [node]
        if node not in done:
            for after in follow.get(node, []):
                found = visit(after, trail + [node])
                if found:
                    return found
            done.add(node)
        return []
    for start in sorted(follow):
        found = visit(start, [])
        if found:
            return found
    return []


def upwards(tree):
    return ['%s includes %s' % (path, target) for path, target in tree.includes()
            if os.path.dirname(target) != os.path.dirname(path) and
            os.path.dirname(target) not in tree.allowed(os.path.dirname(path))]


@pytest.fixture(scope='module', name='tree')
def this_tree():
    return Tree(REPO)


def test_every_folder_is_in_the_drawing(tree):
    owners = {folder.rpartition('/')[0] if folder.rpartition('/')[2] in TESTS else folder
              for folder in tree.folders()}
    assert sorted(tree.drawn) == sorted(owners)


def test_arrows_point_down(tree):
    order = list(tree.drawn)
    assert [(folder, other) for folder in order for other in tree.drawn[folder]
            if other not in order or order.index(other) <= order.index(folder)] == []


def test_folders_include_by_the_arrows(tree):
    assert len(list(tree.includes())) > 100
    assert upwards(tree) == []


def test_no_arrow_is_for_nothing(tree):
    used = {(os.path.dirname(path), os.path.dirname(target)) for path, target in tree.includes()}
    assert [(folder, other) for folder in tree.drawn for other in tree.drawn[folder]
            if (folder, other) not in used] == []


def test_no_circle_among_headers(tree):
    assert circle(tree.includes()) == []


def test_no_circle_among_files(tree):
    calls = list(tree.calls())
    plugin = 'drivers/misc/vfio_wc/vfio_wc_'
    assert (plugin + 'vdev.c', plugin + 'request.c') in calls
    assert circle(calls) == []


# What the above would overlook is not worth having.

@pytest.fixture(name='small')
def small_tree(tmp_path):
    def make(**files):
        (tmp_path / 'doc').mkdir()
        (tmp_path / 'doc/design.rst').write_text(
            'The path of one store\n---------------------\n\nWords.\n\n::\n\n'
            '    above     app/up -> lib/down\n      |\n    below     lib/down\n\nMore.\n')
        for path, text in {'app/up/a.c': '#include "a.h"\n#include "d.h"\n', 'app/up/a.h': '',
                           'lib/down/d.c': '#include "d.h"\nint\nd(void)\n{\n\treturn 0;\n}\n',
                           'lib/down/d.h': 'int d(void);\n', **files}.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        return Tree(str(tmp_path))
    return make


def test_a_good_tree(small):
    tree = small()
    assert tree.drawn == {'app/up': ['lib/down'], 'lib/down': []}
    assert upwards(tree) == [] and circle(tree.includes()) == [] and circle(tree.calls()) == []
    assert ('app/up/a.c', 'lib/down/d.h') in tree.includes()


@pytest.mark.parametrize('text', ['#include "a.h"\n', ' # include "../../app/up/a.h"\n'])
def test_an_upward_include_is_found(small, text):
    assert upwards(small(**{'lib/down/e.c': text})) == ['lib/down/e.c includes app/up/a.h']


def test_an_include_from_tests_is_found(small):
    tree = small(**{'lib/down/test/fake.h': '', 'app/up/test/t.c': '#include "fake.h"\n',
                    'app/up/b.c': '#include "fake.h"\n'})
    assert upwards(tree) == ['app/up/b.c includes lib/down/test/fake.h']


def test_tests_include_no_tests_above(small):
    tree = small(**{'app/up/test/fake.h': '', 'lib/down/test/t.c': '#include "fake.h"\n'})
    assert upwards(tree) == ['lib/down/test/t.c includes app/up/test/fake.h']


def test_a_circle_of_headers_is_found(small):
    tree = small(**{'lib/down/d.h': '#include "e.h"\n', 'lib/down/e.h': '#include "d.h"\n'})
    assert circle(tree.includes()) == ['lib/down/d.h', 'lib/down/e.h', 'lib/down/d.h']


def test_a_circle_of_calls_is_found(small):
    tree = small(**{'lib/down/d.c': 'int\nd(void)\n{\n\treturn e() + 1; /* f() */\n}\n',
                    'lib/down/e.c': 'int\ne(void)\n{\n\treturn f();\n}\n\nstatic int\nx(void)\n',
                    'lib/down/f.c': 'int\nf(void)\n{\n\treturn d();\n}\n'})
    assert circle(tree.calls()) == ['lib/down/%s.c' % name for name in 'defd']

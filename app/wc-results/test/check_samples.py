#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check_samples.py PROGRAM: the results that it prints, one a line, and the schema belong together:
all are valid in the strict profile; the schema describes nothing that none of them has, and lets
none pass that is damaged, wherever that is.
"""

import copy
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)) + '/..')
from wc_results import results # noqa: E402

# What the lab adds: lab/host/test_model.py has a document with it.
ADDED = re.compile(r'modelled|profile|crossover_ns|known|/lab\b')


def described(part, path='#'):
    """{place: name} of all properties in a schema."""
    found = {}
    for key, sub in part.items() if isinstance(part, dict) else ():
        if key == 'properties':
            for name, schema in sub.items():
                found['%s/%s' % (path, name)] = name
                found.update(described(schema, '%s/%s' % (path, name)))
        elif isinstance(sub, dict):
            found.update(described(sub, '%s/%s' % (path, key)))
    return found


def names(value):
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from names(item)
    elif isinstance(value, list):
        for item in value:
            yield from names(item)


def damaged(document):
    """Says what is wrong with the document, for as long as it is."""
    def change(what, path):
        place = document
        for step in path[:-1]:
            place = place[step]
        whole = copy.copy(place)
        if what is KeyError:
            del place[path[-1]]
        else:
            place[path[-1]] = what
        yield '%s: %s' % ('.'.join(map(str, path)), what)
        place.clear()
        (place.update if isinstance(place, dict) else place.extend)(whole)

    def everywhere(value, path):
        """An object has what nobody described; anything else is one."""
        if isinstance(value, dict):
            yield from change(None, path + ['surprise'])
            for key, item in list(value.items()):
                yield from everywhere(item, path + [key])
        else:
            yield from change({}, path)
            for i, item in enumerate(list(value[:2]) if isinstance(value, list) else ()):
                yield from everywhere(item, path + [i])

    yield from everywhere(document, [])
    yield from change('other/1', ['schema'])
    yield from change('fine', ['status'])
    yield from change('yesterday', ['started'])
    yield from change(KeyError, ['environment'])
    yield from change('maybe', ['environment', 'memory_types_honoured'])
    for i, metric in enumerate(document['metrics'][:3]):
        yield from change('guessed', ['metrics', i, 'kind'])
        yield from change(KeyError, ['metrics', i, 'usable'])
    for i, case in enumerate(document['cases']):
        yield from change(KeyError, ['cases', i, 'bar'])
        yield from change(-1, ['cases', i, 'offset'])
        if 'wc' in case:
            yield from change('wc', ['cases', i, 'wc', 'memory_type'])
            yield from change(KeyError, ['cases', i, 'wc', 'leaves'])
        if 'ratio' in case:
            yield from change([1.0], ['cases', i, 'ratio', 'ci95'])


def main():
    lines = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=True).stdout.splitlines()
    documents = [json.loads(line) for line in lines]
    assert documents
    for number, document in enumerate(documents):
        wrong = results.problems(document, strict=True)
        if wrong:
            sys.exit('document %d: %s' % (number, '\n'.join(wrong)))
    had = {name for document in documents for name in names(document)}
    never = [place for place, name in described(results.schema('2')).items()
             if name not in had and not ADDED.search(place)]
    if never:
        sys.exit('no document has %s' % ', '.join(never))
    for number, document in enumerate(documents):
        for what in damaged(document):
            if not results.problems(document, strict=True):
                sys.exit('document %d: the schema lets this pass: %s' % (number, what))


main()

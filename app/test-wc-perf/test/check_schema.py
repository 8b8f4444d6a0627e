#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check_schema.py SCHEMA [FILE... | -- PROGRAM]: do JSON documents follow a JSON Schema?

With a program: the documents are the lines that it prints, and besides following the schema
each must stop doing so once it is damaged (so that a schema that lets everything pass is found).

A subset of JSON Schema 2020-12, enough for ours; a keyword it does not know is an error.
"""

import copy
import json
import re
import subprocess
import sys

TYPES = {
    'array': lambda v: isinstance(v, list),
    'boolean': lambda v: isinstance(v, bool),
    'integer': lambda v: isinstance(v, int) and not isinstance(v, bool),
    'null': lambda v: v is None,
    'number': lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    'object': lambda v: isinstance(v, dict),
    'string': lambda v: isinstance(v, str),
}
NOTES = {'$schema', '$id', '$comment', '$defs', 'title', 'description'}


class Invalid(Exception):
    pass


def check(value, schema, root, path='$'):
    """Raise Invalid where value does not follow schema."""
    def must(condition, what):
        if not condition:
            raise Invalid('%s: %s' % (path, what))

    for keyword, arg in schema.items():
        if keyword in NOTES or keyword == 'properties':
            continue
        if keyword == '$ref':
            assert arg.startswith('#/$defs/'), arg
            check(value, root['$defs'][arg[len('#/$defs/'):]], root, path)
        elif keyword == 'type':
            names = arg if isinstance(arg, list) else [arg]
            must(any(TYPES[name](value) for name in names), 'not of type ' + ' or '.join(names))
        elif keyword == 'const':
            must(value == arg, 'not %r' % arg)
        elif keyword == 'enum':
            must(value in arg, '%r is none of %s' % (value, arg))
        elif keyword == 'pattern':
            must(not isinstance(value, str) or re.search(arg, value), 'does not match ' + arg)
        elif keyword in ('minimum', 'maximum'):
            sign = 1 if keyword == 'minimum' else -1
            must(not TYPES['number'](value) or sign * value >= sign * arg, 'beyond %s' % keyword)
        elif keyword in ('minItems', 'maxItems'):
            sign = 1 if keyword == 'minItems' else -1
            must(not isinstance(value, list) or sign * len(value) >= sign * arg, keyword)
        elif keyword == 'items':
            for i, item in enumerate(value if isinstance(value, list) else []):
                check(item, arg, root, '%s[%d]' % (path, i))
        elif keyword == 'required':
            for key in arg:
                must(not isinstance(value, dict) or key in value, 'no "%s"' % key)
        elif keyword == 'additionalProperties':
            for key in set(value if isinstance(value, dict) else ()) - set(schema.get('properties', {})):
                must(arg is not False, 'unknown "%s"' % key)
                check(value[key], arg, root, '%s.%s' % (path, key))
        else:
            raise AssertionError('schema: keyword %s is not known here' % keyword)
    for key, sub in schema.get('properties', {}).items():
        if isinstance(value, dict) and key in value:
            check(value[key], sub, root, '%s.%s' % (path, key))


def damaged(document):
    """Copies of a document with one thing wrong each."""
    def change(what, *path):
        bad = copy.deepcopy(document)
        place = bad
        for step in path[:-1]:
            place = place[step]
        if what is KeyError:
            del place[path[-1]]
        else:
            place[path[-1]] = what
        return '%s: %s' % ('.'.join(map(str, path)), what), bad

    yield change('other/1', 'schema')
    yield change('fine', 'status')
    yield change(KeyError, 'environment')
    yield change('maybe', 'environment', 'memory_types_honoured')
    yield change(1, 'surprise')
    for i, case in enumerate(document['cases']):
        yield change(KeyError, 'cases', i, 'bar')
        yield change('64', 'cases', i, 'frame_size')
        yield change(-1, 'cases', i, 'offset')
        if 'wc' in case:
            yield change('wc', 'cases', i, 'wc', 'memory_type')
            yield change(KeyError, 'cases', i, 'wc', 'leaves')
            yield change([{'va': 1}], 'cases', i, 'wc', 'leaves')
            yield change(['fast'], 'cases', i, 'wc', 'mpps')
        if 'ratio' in case:
            yield change([1.0], 'cases', i, 'ratio', 'ci95')


def main():
    with open(sys.argv[1], encoding='utf-8') as f:
        schema = json.load(f)
    if sys.argv[2] == '--':
        lines = subprocess.run(sys.argv[3:], stdout=subprocess.PIPE, check=True).stdout.splitlines()
        documents = {'document %d' % i: json.loads(line) for i, line in enumerate(lines)}
    else:
        documents = {}
        for name in sys.argv[2:]:
            with open(name, encoding='utf-8') as f:
                documents[name] = json.load(f)
    assert documents
    for name, document in documents.items():
        try:
            check(document, schema, schema)
        except Invalid as error:
            sys.exit('%s: %s' % (name, error))
        for what, bad in damaged(document):
            try:
                check(bad, schema, schema)
            except Invalid:
                continue
            sys.exit('%s: the schema lets this pass: %s' % (name, what))


main()

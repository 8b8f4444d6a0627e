#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check_schema.py SCHEMA [FILE... | -- PROGRAM]: do JSON documents follow a JSON Schema?

With a program: the documents are the lines that it prints, and it is the schema that is tested. It
must describe nothing that none of them has, and let none pass that is damaged, wherever that is.

A subset of JSON Schema 2020-12, enough for ours; what else stands in a schema is an error.
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
KEYWORDS = NOTES | {
    '$ref', 'type', 'const', 'enum', 'pattern', 'minimum', 'maximum', 'minItems', 'maxItems',
    'items', 'required', 'properties', 'additionalProperties'}
# What lab/host/model.py adds to a result; lab/host/test_model.py has a document with it.
MODELLED = re.compile('modelled|profiles|crossover_ns')


class Invalid(Exception):
    pass


def parts(schema, path='#'):
    """{place: schema} of all schemas in a schema."""
    found = {path: schema}
    for keyword in '$defs', 'properties':
        for key, sub in schema.get(keyword, {}).items():
            found.update(parts(sub, '%s/%s/%s' % (path, keyword, key)))
    for keyword in 'items', 'additionalProperties':
        if isinstance(schema.get(keyword), dict):
            found.update(parts(schema[keyword], '%s/%s' % (path, keyword)))
    return found


def check_schema(schema):
    """Raise Invalid if it says what nobody would check, or leaves open what an object may have."""
    places = parts(schema)
    for path, part in places.items():
        problems = ['%s is not known here' % keyword for keyword in set(part) - KEYWORDS]
        if part.get('$ref', path) not in places:
            problems.append('%s is nowhere' % part['$ref'])
        if not {'$ref', 'type', 'const', 'enum'} & set(part):
            problems.append('anything goes')
        if part.get('type') == 'object' and 'additionalProperties' not in part:
            problems.append('does not say if there may be more properties')
        unknown = set(part.get('required', ())) - set(part.get('properties', ()))
        problems += ['"%s" is required, and not described' % name for name in unknown]
        if problems:
            raise Invalid('schema, %s: %s' % (path, '; '.join(problems)))


def check(value, schema, root, used, path='', place='#'):
    """Raise Invalid where value does not follow schema; used gets the places that had a say."""
    def must(condition, what):
        if not condition:
            raise Invalid('%s: %s' % (path, what))

    def sub(value, keyword, step, *key):
        part = schema[keyword]
        for k in key:
            part = part[k]
        check(value, part, root, used, path + step, '/'.join((place, keyword, *key)))

    used.add(place)
    known = schema.get('properties', {})
    for keyword, arg in schema.items():
        if keyword == '$ref':
            name = arg.removeprefix('#/$defs/')
            check(value, root['$defs'][name], root, used, path, arg)
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
        elif keyword == 'items' and isinstance(value, list):
            for i, item in enumerate(value):
                sub(item, keyword, '[%d]' % i)
        elif keyword == 'required' and isinstance(value, dict):
            for key in arg:
                must(key in value, 'no "%s"' % key)
        elif keyword == 'properties' and isinstance(value, dict):
            for key in set(value) & set(known):
                sub(value[key], keyword, '.' + key, key)
        elif keyword == 'additionalProperties' and isinstance(value, dict):
            for key in set(value) - set(known):
                must(arg is not False, 'unknown "%s"' % key)
                sub(value[key], keyword, '.' + key)


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
            for i, item in enumerate(list(value) if isinstance(value, list) else ()):
                yield from everywhere(item, path + [i])

    yield from everywhere(document, [])
    yield from change('other/1', ['schema'])
    yield from change('fine', ['status'])
    yield from change(KeyError, ['environment'])
    yield from change('maybe', ['environment', 'memory_types_honoured'])
    for i, case in enumerate(document['cases']):
        yield from change(KeyError, ['cases', i, 'bar'])
        yield from change(-1, ['cases', i, 'offset'])
        if 'wc' in case:
            yield from change('wc', ['cases', i, 'wc', 'memory_type'])
            yield from change(KeyError, ['cases', i, 'wc', 'leaves'])
        if 'ratio' in case:
            yield from change([1.0], ['cases', i, 'ratio', 'ci95'])


def main():
    with open(sys.argv[1], encoding='utf-8') as f:
        schema = json.load(f)
    program = sys.argv[2] == '--'
    if program:
        lines = subprocess.run(sys.argv[3:], stdout=subprocess.PIPE, check=True).stdout.splitlines()
        documents = {'document %d' % i: json.loads(line) for i, line in enumerate(lines)}
    else:
        documents = {}
        for name in sys.argv[2:]:
            with open(name, encoding='utf-8') as f:
                documents[name] = json.load(f)
    assert documents
    used = set()
    try:
        check_schema(schema)
        for name, document in documents.items():
            check(document, schema, schema, used, name + ': $')
    except Invalid as error:
        sys.exit(str(error))
    if not program:
        return
    never = sorted(place for place in set(parts(schema)) - used if not MODELLED.search(place))
    if never:
        sys.exit('no document has %s' % ', '.join(never))
    for name, document in documents.items():
        for what in damaged(document):
            try:
                check(document, schema, schema, used)
            except Invalid:
                continue
            sys.exit('%s: the schema lets this pass: %s' % (name, what))


main()

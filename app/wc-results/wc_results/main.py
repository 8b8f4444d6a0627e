# SPDX-License-Identifier: BSD-3-Clause
"""The verbs of dpdk-wc-results."""

import argparse
import json
import sys

from . import results

# As compare ends, and others where they can.
FINE, WORSE, USAGE, UNDECIDED, REFUSED = range(5)


def validate(args):
    status = FINE
    for path in args.files:
        try:
            with open(path, encoding='utf-8') as f:
                wrong = results.problems(json.load(f), args.strict)
        except (OSError, ValueError) as error:
            wrong = [getattr(error, 'strerror', None) or str(error)]
        for line in wrong:
            print('%s: %s' % (path, line))
            status = WORSE
    return status


def parser():
    top = argparse.ArgumentParser(
        prog='dpdk-wc-results', description='What becomes of the results of dpdk-test-wc-perf.')
    verbs = top.add_subparsers(dest='verb', required=True, metavar='VERB')

    def verb(function, text):
        found = verbs.add_parser(function.__name__, help=text, description=text)
        found.set_defaults(function=function)
        return found

    one = verb(validate, 'Do files follow the schema? Exit status 1: not all.')
    one.add_argument('--strict', action='store_true',
                     help='nothing may be there that the schema does not describe')
    one.add_argument('files', nargs='+', metavar='FILE')
    return top


def main(argv=None):
    args = parser().parse_args(argv)
    try:
        return args.function(args)
    except results.Unusable as error:
        print('dpdk-wc-results: %s' % error, file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        return FINE

# SPDX-License-Identifier: BSD-3-Clause
"""The verbs of dpdk-wc-results. What needs a package of its own is imported where it is used, so
that the others work without it."""

import argparse
import json
import os
import sys
import tempfile
import textwrap
import traceback

from . import export as formats, results

# As compare ends, and others where they can.
FINE, WORSE, USAGE, UNDECIDED, REFUSED = range(5)


def validate(args):
    status = FINE
    for path in args.files:
        try:
            wrong = ['%s: %s' % (path, line)
                     for line in results.problems(results.load(path), args.strict)]
        except results.Unusable as error:
            wrong = [str(error)]
        for line in wrong:
            print(line)
            status = WORSE
    return status


def say(lines):
    """On 80 columns, whatever a machine is called."""
    for line in map(results.printable, lines):
        indent = ' ' * (len(line) - len(line.lstrip()) + 2)
        print('\n'.join(textwrap.wrap(line, 80, subsequent_indent=indent,
                                      drop_whitespace=True) or ['']))


def show(args):
    from . import summary
    for number, path in enumerate(args.files):
        say([''] * bool(number) + list(summary.lines(results.read(path))))
    return FINE


def matrix(args):
    from . import summary
    say(summary.matrix(read_all(args.files)))
    return FINE


def history(args):
    from . import history as folder
    os.makedirs(args.folder, exist_ok=True)
    for path in args.files:
        folder.add(args.folder, path)
    names = sorted(name for name in os.listdir(args.folder) if name.endswith('.json'))
    say(folder.lines(results.read(os.path.join(args.folder, name)) for name in names))
    return FINE


def threshold(text):
    try:
        value = float(text.removesuffix('%')) / (100 if text.endswith('%') else 1)
    except ValueError:
        value = 0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError('%s: not a share such as 2%%' % text)
    return value


def compare(args):
    from . import compare as judge
    old, new = results.read(args.old), results.read(args.new)
    apart = results.differences(old, new)
    if apart and not args.across:
        say(['these were not run under the same circumstances (--across: compare)', *apart])
        return REFUSED
    findings = judge.metrics(old['metrics'], new['metrics'], args.threshold)
    verdict = judge.worst(findings)
    if args.json:
        json.dump({'verdict': verdict, 'differences': apart, 'findings': [
            {'id': f.metric['id'], **{key: value for key, value in f._asdict().items()
                                      if key != 'metric'}} for f in findings]},
                  sys.stdout, indent=None)
        print()
    else:
        say([*apart, *judge.lines(findings, old['metrics']), '', verdict])
    return {'worse': WORSE, 'undecided': UNDECIDED}.get(verdict, FINE)


def export(args):
    text = formats.FORMATS[args.to](read_all(args.files), args)
    if args.output is None:
        sys.stdout.reconfigure(encoding='utf-8') # as the formats have it, whatever the locale
        sys.stdout.write(text)
    else:
        put(args.output, text)
    return FINE


def report(args):
    from . import report as page
    put(args.output, page.html(read_all(args.files), *filter(None, [args.charts])))
    return FINE


def read_all(paths):
    """Results of files, and of all files in folders."""
    files = [os.path.join(path, name) for path in paths if os.path.isdir(path)
             for name in sorted(os.listdir(path)) if name.endswith('.json')]
    files += [path for path in paths if not os.path.isdir(path)]
    if not files:
        raise results.Unusable('%s: no results' % ' '.join(paths))
    return [results.read(path) for path in files]


def put(path, text):
    """All of it or nothing: who reads the file while it is written reads the old one. A link stays
    one, and what is no file (a terminal, a pipe, /dev/null) is written to."""
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, 'w', encoding='utf-8') as f:
                f.write(text)
        else:
            replace(os.path.realpath(path), text)
    except OSError as error:
        error.filename = path # not the one beside it
        raise


def replace(path, text):
    with tempfile.NamedTemporaryFile('w', dir=os.path.dirname(path), delete=False,
                                     encoding='utf-8') as f:
        try:
            f.write(text)
            f.flush()
            os.fchmod(f.fileno(), 0o644)
            os.fsync(f.fileno())
            os.rename(f.name, path)
        except BaseException:
            os.unlink(f.name)
            raise


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

    one = verb(compare, 'Is the new run better, worse, the same? Exit status 0: nothing is worse; '
               '1: something is; 3: not decided; 4: refused, as the machines or settings differ.')
    one.add_argument('--threshold', type=threshold, default=0.02, metavar='SHARE',
                     help='the least change that matters (2%%)')
    one.add_argument('--across', action='store_true',
                     help='compare though kernel, CPU, settings, ... differ')
    one.add_argument('--json', action='store_true', help='for programs')
    one.add_argument('old', metavar='OLD')
    one.add_argument('new', metavar='NEW')

    one = verb(show, 'A summary for a terminal.')
    one.add_argument('files', nargs='+', metavar='FILE')

    one = verb(matrix, 'Runs under several kernels and DPDK releases, side by side.')
    one.add_argument('files', nargs='+', metavar='FILE', help='or folders of them')

    one = verb(history, 'A folder of results to which one can only add: adds files, and lists all.')
    one.add_argument('folder', metavar='DIR')
    one.add_argument('files', nargs='*', metavar='FILE')

    one = verb(export, 'Results as others take them.')
    one.add_argument('--to', required=True, metavar='FORMAT', choices=list(formats.FORMATS),
                     help='%(choices)s')
    one.add_argument('-o', '--output', metavar='FILE', help='renamed into place')
    one.add_argument('--direction', choices=['higher', 'lower'], default='higher',
                     help='github-action-benchmark: series of which this is better (higher)')
    one.add_argument('--expected', metavar='FILE', help='dts: the result to measure up to')
    one.add_argument('--file-name', default='results.csv', help='otava-yaml: of the CSV')
    one.add_argument('files', nargs='+', metavar='FILE', help='or folders of them')

    one = verb(report, 'One HTML file, of the newest result and the history of all.')
    one.add_argument('-o', '--output', required=True, metavar='FILE')
    one.add_argument('--charts', metavar='SCRIPT', help='as app/wc-results/charts/build makes it')
    one.add_argument('files', nargs='+', metavar='FILE', help='or folders of them')
    return top


def main(argv=None):
    args = parser().parse_args(argv)
    sys.stdout.reconfigure(errors='backslashreplace') # a locale may have few characters
    try:
        return args.function(args)
    except results.Unusable as error:
        print('dpdk-wc-results: %s' % error, file=sys.stderr)
        return USAGE
    except OSError as error:
        print('dpdk-wc-results: %s: %s' % (error.filename or args.verb, error.strerror),
              file=sys.stderr)
        return USAGE
    except ModuleNotFoundError as error:
        print('dpdk-wc-results: %s needs python3-%s' % (args.verb, error.name.replace('_', '-')),
              file=sys.stderr)
        return USAGE
    except Exception:
        # Python would end with 1, which is compare's word for worse.
        traceback.print_exc()
        return USAGE

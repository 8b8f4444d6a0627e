# SPDX-License-Identifier: BSD-3-Clause
"""A result on a terminal of 80 columns."""

from . import results


def number(value):
    """Four digits, and M for what is large."""
    return '%.4g' % value if abs(value) < 1e4 else '%.4gM' % (value / 1e6)


def case(name):
    """The id of a case, without what only programs need."""
    pmd, ids, where, mode, *rest = name.split('/')
    return ' '.join([pmd, ids, where.split('+')[0], mode, *rest])


def row(metric):
    name = metric['metric'] + (' ' + metric['profile'] if 'profile' in metric else '')
    text = '  %-8s %-19s' % (metric['arm'], name)
    if not metric['samples']:
        return text + ' no samples'
    found = results.summary(metric)
    text += ' %9s' % number(found.median)
    interval = '' if found.low is None else '%s..%s' % (number(found.low), number(found.high))
    return '%s  %-19s %3d  %s%s' % (text, interval, found.n, metric['kind'],
                                    '' if metric['usable'] else ' (!)')


def lines(result):
    environment = result['environment']
    yield 'Started %s, status: %s' % (result['started'], result['status'])
    if 'message' in result:
        yield result['message']
    yield '%s, kernel %s' % (environment['dpdk'] or 'DPDK unknown', environment['kernel'])
    yield '%s, hypervisor %s' % (environment['cpu'], environment['hypervisor'])
    last, reasons = None, {}
    for metric in result['metrics']:
        if metric['case'] != last:
            last = metric['case']
            yield ''
            yield case(last)
            yield '  %-8s %-19s %9s  %-19s %3s  %s' % ('arm', 'quantity', 'median',
                                                       '95% interval', 'n', 'kind')
        yield row(metric)
        for reason in metric['reasons']:
            reasons.setdefault(reason, []).append(metric['arm'])
    if reasons:
        yield ''
        yield '(!) not usable:'
        for reason, arms in reasons.items():
            yield '  %s: %s' % (', '.join(dict.fromkeys(arms)), reason)
    for warning in environment['warnings']:
        yield 'Warning: %s' % warning

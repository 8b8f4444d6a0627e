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
    return '%s  %-19s %3d  %s%s' % (text, interval(found), found.n, metric['kind'],
                                    '' if metric['usable'] else ' (!)')


def interval(found):
    return '' if found.low is None else '%s..%s' % (number(found.low), number(found.high))


def grid(all_results):
    """Side by side: rows for the newest run of each kernel, DPDK and device, in that order."""
    rows = {}
    for result in sorted(all_results, key=results.started):
        environment = result['environment']
        where = (environment['kernel'], environment['dpdk'] or 'DPDK unknown',
                 environment.get('lab', {}).get('emulated', ''))
        if not result['cases']:
            rows[where, ''] = {'case': 'nothing was measured', 'writes': '', 'ratio': '',
                               'interval': '', 'usable': False, 'status': result['status']}
        for one in result['cases']:
            found = {(m['arm'], m['metric']): m for m in result['metrics']
                     if m['case'] == one['id'] and m['kind'] != 'modelled' and m['samples']}
            ratio = found.get(('wc/uc', 'tx_rate'))
            writes = [number(results.summary(found[arm, 'pcie_writes']).median)
                      if (arm, 'pcie_writes') in found else '?' for arm in ('uc', 'wc')]
            summed = ratio and results.summary(ratio)
            rows.pop((where, ''), None)
            rows[where, one['id']] = {
                'case': case(one['id']), 'writes': ' -> '.join(writes),
                'ratio': number(summed.median) if summed else '?',
                'interval': interval(summed) if summed else '',
                'usable': bool(ratio and ratio['usable']), 'status': result['status']}
    return [{'kernel': kernel, 'dpdk': dpdk, 'emulated': emulated, **row}
            for ((kernel, dpdk, emulated), _), row in sorted(rows.items())]


def matrix(all_results):
    last = None
    for row in grid(all_results):
        head = '%s, kernel %s%s: %s' % (row['dpdk'], row['kernel'],
                                        row['emulated'] and ', emulated ' + row['emulated'],
                                        row['status'])
        if head != last:
            yield from ([''] if last else [])
            yield head
        last = head
        yield '  ' + row['case']
        if row['writes']:
            yield '    PCIe writes a packet %s; wc/uc %s%s%s' % (
                row['writes'], row['ratio'], row['interval'] and ' (%s)' % row['interval'],
                '' if row['usable'] else ' (!) not usable')


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

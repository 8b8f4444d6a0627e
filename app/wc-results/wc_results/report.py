# SPDX-License-Identifier: BSD-3-Clause
"""One HTML file that needs nothing beside it: charts by Vega-Lite, and a table with all figures."""

import os

import jinja2
import markupsafe

from . import export, results, summary

HERE = os.path.dirname(os.path.realpath(__file__))
# Built by charts/build: beside the tool's modules when it is installed.
CHARTS = HERE + '/../charts.js'
# Told apart by people who see few colours, and in print.
ARMS = {'plain': '#7f7f7f', 'uc': '#d55e00', 'wc': '#0072b2', 'wc/uc': '#0072b2',
        'uc/plain': '#7f7f7f'}


def row(result, metric):
    """What a chart and the table know of a metric."""
    numbers = dict.fromkeys(('median', 'low', 'high'))
    if metric['samples']:
        found = results.summary(metric)
        numbers = {'median': found.median, 'low': found.low, 'high': found.high}
    parameters = dict(zip(('frame', 'burst', 'queues'),
                          (int(word.lstrip('abcdefghijklmnopqrstuvwxyz'))
                           for word in metric['case'].split('/')[4:7])))
    interval = '' if numbers['low'] is None else '%s..%s' % (
        summary.number(numbers['low']), summary.number(numbers['high']))
    return {**{key: metric[key] for key in ('arm', 'metric', 'unit', 'kind', 'usable', 'reasons')},
            **numbers, **parameters, 'profile': metric.get('profile', ''),
            'nic': ' '.join(metric['case'].split('/')[:2]), 'case': summary.case(metric['case']),
            'n': len(metric['samples']), 'started': result['started'],
            'shown': 'none' if numbers['median'] is None else summary.number(numbers['median']),
            'interval': interval, 'series': metric['id']}


# --- Charts ---------------------------------------------------------------------------------------

def arms(rows):
    return [arm for arm in ARMS if any(row['arm'] == arm for row in rows)]


def colour(rows):
    return {'field': 'arm', 'type': 'nominal', 'title': 'arm', 'scale': {
        'domain': arms(rows), 'range': [ARMS[arm] for arm in arms(rows)]}}


def bars(rows, title):
    """Over frame size and burst, arms side by side, with intervals where there are some."""
    x = {'field': 'frame', 'type': 'ordinal', 'title': 'frame size, bytes',
         'axis': {'labelAngle': 0}}
    shared = {'x': x, 'xOffset': {'field': 'arm', 'scale': {'domain': arms(rows)}}}
    return {
        'data': {'values': rows},
        'facet': {'row': {'field': 'nic', 'title': None},
                  'column': {'field': 'burst', 'type': 'ordinal', 'title': 'burst'}},
        'spec': {'height': 190, 'width': {'step': 34}, 'layer': [
            {'mark': {'type': 'bar', 'tooltip': True}, 'encoding': {
                **shared, 'color': colour(rows),
                'y': {'field': 'median', 'type': 'quantitative', 'title': title}}},
            {'mark': {'type': 'rule', 'strokeWidth': 1.5}, 'encoding': {
                **shared, 'y': {'field': 'low', 'type': 'quantitative', 'title': title},
                'y2': {'field': 'high'}, 'color': {'value': '#808080'}}},
            {'mark': {'type': 'text', 'dy': -7, 'fontSize': 11}, 'encoding': {
                **shared, 'y': {'field': 'median', 'type': 'quantitative', 'title': title},
                'text': {'field': 'shown'}, 'color': {'value': '#808080'}}}]}}


def modelled(rows):
    return {'data': {'values': rows}, 'height': 190, 'width': 420,
            'mark': {'type': 'line', 'point': True, 'strokeDash': [4, 3], 'tooltip': True},
            'encoding': {
                'x': {'field': 'profile', 'type': 'nominal', 'sort': None, 'title': 'profile',
                      'axis': {'labelAngle': 0}},
                'y': {'field': 'median', 'type': 'quantitative', 'title': 'modelled packets/s'},
                'color': colour(rows), 'detail': {'field': 'case'},
                'row': {'field': 'nic', 'title': None}}}


def over_time(rows, title):
    encoding = {'x': {'field': 'started', 'type': 'temporal', 'title': None}, 'color': colour(rows),
                'detail': {'field': 'series'}}
    y = {'type': 'quantitative', 'title': title, 'scale': {'zero': False}}
    return {'data': {'values': rows}, 'facet': {'row': {'field': 'nic', 'title': None}},
            'spec': {'height': 190, 'width': 640, 'layer': [
                {'mark': {'type': 'line', 'point': True, 'tooltip': True},
                 'encoding': {**encoding, 'y': {'field': 'median', **y}}},
                {'mark': 'rule', 'encoding': {**encoding, 'y': {'field': 'low', **y},
                                              'y2': {'field': 'high'}}}]}}


def plots(newest, everything):
    """What there is to show: only what may be used, and what is modelled apart."""
    def some(rows, **wanted):
        return [row for row in rows if row['usable'] and row['n'] and
                all(row[key] == value for key, value in wanted.items())]

    def timed(rows):
        return [row for row in rows if row['kind'] != 'modelled']

    rate = {'metric': 'tx_rate', 'unit': 'packets_per_second'}
    ratio = {'metric': 'tx_rate', 'unit': 'ratio'}
    writes = {'metric': 'pcie_writes'}
    interval = 'Medians; the lines are 95% intervals, where there are samples enough.'
    found = [
        ('writes', 'PCIe writes a packet', 'Counted: what the driver asks of the bus.',
         some(newest, **writes), lambda rows: bars(rows, 'writes a packet')),
        ('rates', 'Packet rates', interval, timed(some(newest, **rate)),
         lambda rows: bars(rows, 'packets/s')),
        ('ratios', 'Ratios of packet rates', interval, some(newest, **ratio),
         lambda rows: bars(rows, 'ratio')),
        ('modelled', 'Modelled packet rates', 'Computed from the counts and what a write costs on '
         'some platform (doc/bus.rst). No NIC was measured.',
         some(newest, kind='modelled'), modelled)]
    if len({row['started'] for row in everything}) > 1:
        found += [
            ('history-writes', 'History: PCIe writes a packet', 'Counted.',
             some(everything, **writes), lambda rows: over_time(rows, 'writes a packet')),
            ('history-ratios', 'History: ratios', interval, some(everything, **ratio),
             lambda rows: over_time(rows, 'ratio')),
            ('history-rates', 'History: packet rates', 'Of one machine or of several: the table of '
             'runs says which.', timed(some(everything, **rate)),
             lambda rows: over_time(rows, 'packets/s'))]
    return [{'id': name, 'title': title, 'text': text, 'spec': spec(rows)}
            for name, title, text, rows, spec in found if rows]


def html(all_results, charts=CHARTS):
    ordered = sorted(all_results, key=results.started)
    newest = ordered[-1]
    everything = [row(result, metric) for result in ordered for metric in result['metrics']]
    rows = everything[-len(newest['metrics']):] if newest['metrics'] else []
    table, reasons = {}, {}
    for one in rows:
        table.setdefault(one['case'], []).append(one)
        for reason in one['reasons']:
            reasons.setdefault(reason, {})[one['arm']] = True
    script = None
    if os.path.exists(charts):
        with open(charts, encoding='utf-8') as f:
            script = markupsafe.Markup(f.read().replace('</script', '<\\/script'))
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True,
                                     undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.get_template('report.html.j2').render(
        newest={'message': '', **newest}, fingerprint=results.fingerprint(newest),
        grid=summary.grid(ordered), reasons=reasons, plots=plots(rows, everything),
        table=table.items(), charts=script,
        runs=[{'started': result['started'], 'status': result['status'],
               'commit': export.commit(result), 'fingerprint': results.fingerprint(result)}
              for result in ordered])

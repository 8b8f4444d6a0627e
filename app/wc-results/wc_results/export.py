# SPDX-License-Identifier: BSD-3-Clause
"""Results as others take them. What may not be used is left out, unless a format has a word for it;
doc/results.rst says against what each is tested."""

import collections
import csv
import io
import json

from . import results


class Family:
    """prometheus_client's idea of something that has metrics."""

    def __init__(self, families):
        self.families = families

    def collect(self):
        return iter(self.families)


LABELS = ('pmd', 'device', 'range', 'mode', 'frame', 'burst', 'queues', 'cores', 'arm', 'kind',
          'profile', 'host')


def labels(result, metric):
    """Of a metric; without what a number says, for dashboards sort by it."""
    pmd, device, where, mode, *numbers = metric['case'].split('/')
    return [pmd, device, where, mode,
            *(number.lstrip('abcdefghijklmnopqrstuvwxyz') for number in numbers), metric['arm'],
            metric['kind'], metric.get('profile', ''), result['environment'].get('host_id') or '']


def families(all_results, every_sample):
    """What Prometheus is told: every sample with its time, or the median of each series."""
    from prometheus_client.core import GaugeMetricFamily
    found = {}

    def family(name, text, unit=''):
        key = name + ('_' + unit if unit else '')
        if key not in found:
            found[key] = GaugeMetricFamily(key, text, labels=LABELS, unit=unit)
        return found[key]

    for result in sorted(all_results, key=results.started):
        began = results.started(result)
        for metric in result['metrics']:
            name = 'dpdk_wc_' + metric['metric']
            one = family(name, '%s of dpdk-test-wc-perf.' % metric['metric'], metric['unit'])
            usable = family(name + '_%s_usable' % metric['unit'],
                            'Whether a conclusion may rest on it.')
            where = labels(result, metric)
            usable.add_metric(where, int(metric['usable']), began if every_sample else None)
            if not metric['usable'] or not metric['samples']:
                continue
            if every_sample:
                for number, sample in enumerate(metric['samples']):
                    one.add_metric(where, sample['value'], began + sample.get('at_s', number))
            else:
                one.add_metric(where, results.summary(metric).median)
    return Family([family for family in found.values() if family.samples])


def together(family):
    """A family as OpenMetrics demands it: each series' samples beside each other, in the order of
    time, one at a time: runs may overlap, of two builds or by a clock that was set back."""
    found = {(tuple(sorted(sample.labels.items())), sample.timestamp): sample
             for sample in family.samples}
    family.samples = [found[key] for key in sorted(found)]
    return family


def openmetrics(all_results, args):
    """Every sample with its time, to be filled in afterwards."""
    from prometheus_client.openmetrics.exposition import generate_latest
    found = families(all_results, True)
    return generate_latest(Family(map(together, found.families))).decode()


def prometheus(all_results, args):
    """The newest result, for node_exporter's textfile collector: medians, no times."""
    from prometheus_client.exposition import generate_latest
    return generate_latest(families([max(all_results, key=results.started)], False)).decode()


def google_benchmark(all_results, args):
    """A repetition for each sample of a rate, labelled with its start and turn; counts of the same
    run beside it."""
    found = []
    for result in all_results:
        for metric in result['metrics']:
            if metric['unit'] != 'packets_per_second' or not metric['usable'] or \
                    metric['kind'] == 'modelled':
                continue
            counts = [(other['metric'], sample) for other in result['metrics']
                      if (other['case'], other['arm'], other['kind'], other['usable']) ==
                      (metric['case'], metric['arm'], 'counted', True)
                      for sample in other['samples']]
            name = '%s/%s' % (metric['case'], metric['arm'])
            turns = collections.Counter()
            for number, sample in enumerate(metric['samples']):
                start = sample.get('start', number + 1)
                turns[start] += 1
                ns = 1e9 / sample['value']
                found.append({
                    'name': name, 'run_name': name, 'run_type': 'iteration', 'family_index': 0,
                    'per_family_instance_index': 0, 'repetitions': len(metric['samples']),
                    'repetition_index': number, 'threads': 1, 'iterations': 1, 'real_time': ns,
                    'cpu_time': ns, 'time_unit': 'ns', 'items_per_second': sample['value'],
                    'label': '%s, start %d, turn %d' % (metric['kind'], start, turns[start]),
                    **{key: count['value'] for key, count in counts
                       if count.get('order', 0) == sample.get('order')}})
    first = all_results[0]
    return dump({'context': {
        'date': first['started'], 'host_name': first['environment'].get('host_id') or 'unknown',
        'executable': 'dpdk-test-wc-perf', 'num_cpus': 1, 'mhz_per_cpu': 0,
        'cpu_scaling_enabled': first['environment'].get('governor') not in (None, 'performance'),
        'caches': [], 'load_avg': [], 'library_build_type': 'release'}, 'benchmarks': found})


def github_action_benchmark(all_results, args):
    """customBiggerIsBetter and customSmallerIsBetter are two files: --direction. It takes the first
    of a name."""
    found = {
        metric['id']: {
            'name': metric['id'], 'unit': metric['unit'], 'value': results.summary(metric).median,
            'range': spread(results.summary(metric)), 'extra': extra(result, metric)}
        for result in sorted(all_results, key=results.started) for metric in usable(result)
        if metric['direction'] == args.direction}
    return dump(list(found.values()))


def spread(summary):
    if summary.low is None:
        return '%d samples, too few for an interval' % summary.n
    return '%.6g..%.6g (95%% of %d)' % (summary.low, summary.high, summary.n)


def extra(result, metric):
    return '%s, %s, kernel %s, commit %s' % (
        metric['kind'], result['environment']['dpdk'], result['environment']['kernel'],
        commit(result))


def commit(result):
    return result['environment'].get('parts', {}).get('commit', 'unknown')


def otava_csv(all_results, args):
    """A row for each run, a column for each series: medians."""
    names = column_names(all_results)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow(['time', 'commit', 'fingerprint', *names])
    for result in sorted(all_results, key=results.started):
        found = {metric['id']: results.summary(metric).median for metric in usable(result)}
        writer.writerow([result['started'], commit(result), results.fingerprint(result),
                         *(repr(found[name]) if name in found else '' for name in names)])
    return out.getvalue()


def column_names(all_results):
    return {metric['id']: metric['direction'] for result in all_results
            for metric in usable(result)}


def otava_yaml(all_results, args):
    """The configuration for that: which way is better."""
    return dump({'tests': {'dpdk-test-wc-perf': {
        'type': 'csv', 'file': args.file_name, 'time_column': 'time',
        'attributes': ['commit', 'fingerprint'],
        'metrics': {name: {'column': name, 'direction': 1 if direction == 'higher' else -1}
                    for name, direction in column_names(all_results).items()},
        'csv_options': {'delimiter': ',', 'quotechar': '"'}}}})


def junit(all_results, args):
    """A case for each series; skipped: not usable. A run that failed is an error."""
    import junitparser
    xml = junitparser.JUnitXml('dpdk-wc-results')
    for result in map(results.printable, all_results):
        suite = junitparser.TestSuite('dpdk-test-wc-perf ' + result['started'])
        suite.timestamp = result['started']
        for key in 'kernel', 'dpdk', 'cpu':
            suite.add_property(key, result['environment'][key])
        run = junitparser.TestCase('run', 'dpdk-test-wc-perf', result['seconds'])
        if result['status'] != 'ok':
            run.result = [junitparser.Error(result.get('message', ''), result['status'])]
        suite.add_testcase(run)
        for metric in result['metrics']:
            case = junitparser.TestCase('%s/%s' % (metric['arm'], metric['metric']),
                                        metric['case'], 0)
            if metric['usable'] and metric['samples']:
                case.system_out = '%r %s' % (results.summary(metric).median, metric['unit'])
            else:
                case.result = [junitparser.Skipped('; '.join(metric['reasons']) or 'no samples')]
            suite.add_testcase(case)
        xml.add_testsuite(suite)
    xml.update_statistics()
    return xml.tostring().decode() + '\n'


TOLERANCE = 0.05    # of DTS


def dts(all_results, args):
    """As DTS's test of single-core forwarding writes it: measured against what is expected."""
    if args.expected is None:
        raise results.Unusable('--to dts compares with what is expected: --expected FILE')
    expected = {metric['id']: results.summary(metric).median
                for metric in usable(results.read(args.expected))}
    found = []
    for result in all_results:
        frames = {case['id']: case['frame_size'] for case in result['cases']}
        for metric in usable(result):
            if metric['unit'] == 'packets_per_second' and metric['kind'] != 'modelled' and \
                    metric['id'] in expected:
                is_, want = results.summary(metric).median, expected[metric['id']]
                found.append({
                    'frame_size': frames[metric['case']], 'num_descriptors': descriptors(result),
                    'expected_mpps': want / 1e6, 'measured_mpps': is_ / 1e6,
                    'performance_delta': is_ / want - 1, 'pass': is_ >= want * (1 - TOLERANCE)})
    return dump({'timestamp': all_results[-1]['started'], 'results': found})


def descriptors(result):
    """Of a ring, where testpmd was told; null: its own default."""
    for word in result['settings'].get('testpmd', ()):
        if word.startswith('--txd='):
            return int(word[len('--txd='):])
    return None


def bmf(all_results, args):
    """Bencher's own: benchmark, measure, value and interval."""
    found = {}
    for result in sorted(all_results, key=results.started):
        for metric in usable(result):
            summary = results.summary(metric)
            value = {'value': summary.median}
            if summary.low is not None:
                value.update(lower_value=summary.low, upper_value=summary.high)
            name = metric['id'].replace('/' + metric['metric'], '', 1)
            found.setdefault(name, {})['%s-%s' % (metric['metric'], metric['unit'])] = value
    return dump(found)


def usable(result):
    return [metric for metric in result['metrics'] if metric['usable'] and metric['samples']]


def dump(value):
    return json.dumps(value, indent=1, allow_nan=False) + '\n'


FORMATS = {'openmetrics': openmetrics, 'prometheus': prometheus,
           'google-benchmark': google_benchmark,
           'github-action-benchmark': github_action_benchmark, 'otava-csv': otava_csv,
           'otava-yaml': otava_yaml, 'junit': junit, 'dts': dts, 'bmf': bmf}

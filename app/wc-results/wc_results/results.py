# SPDX-License-Identifier: BSD-3-Clause
"""A file of results: read, checked against its schema, brought to the newest version."""

import collections
import copy
import datetime
import hashlib
import json
import os
import re
import statistics
from typing import NamedTuple

PREFIX = 'dpdk-vfio-wc/test-wc-perf/'
NEWEST = PREFIX + '2'
HERE = os.path.dirname(os.path.realpath(__file__))
# In the source tree, and installed.
SCHEMAS = (HERE + '/../../../doc/schema', HERE + '/../schema')
# What makes rates of two runs no comparison at all. A commit, the plugin or the modules may differ:
# those are what is compared.
FINGERPRINT = {
    'environment': ('kernel', 'dpdk', 'cpu', 'microcode', 'hypervisor', 'host_id', 'command_line',
                    'smt', 'isolated', 'nohz_full', 'online', 'numa_nodes', 'no_turbo', 'boost',
                    'governor', 'hugepages', 'memory_types_honoured', 'lab'),
    'settings': ('wc_by', 'forward', 'cores', 'turns', 'warmup_s', 'window_s', 'mem_mb', 'eal',
                 'testpmd'),
}
UNKNOWN = object()
CONTROL = re.compile('[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')


class Unusable(Exception):
    """A file that is no result."""


def schema(version, strict=False):
    for folder in SCHEMAS:
        path = '%s/result-%s.json' % (folder, version)
        if os.path.exists(path):
            with open(path, encoding='utf-8') as f:
                found = json.load(f)
            return closed(found) if strict else found
    raise Unusable('version %s is not known here: a newer dpdk-wc-results may know it' % version)


def closed(part):
    """The strict profile: objects have no properties but those that are described."""
    if isinstance(part, list):
        return [closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    part = {key: closed(item) for key, item in part.items()}
    if isinstance(part.get('properties'), dict) and isinstance(part.get('required'), list):
        part.setdefault('additionalProperties', False)
    return part


def once(pairs):
    """An object of JSON. Of two with one name others take the first, or none."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError('a name is there twice in an object')
    return found


def integer(text):
    """A whole number that others have room for."""
    value = int(text)
    float(value)
    return value


def load(path):
    """What is in a file, where it is JSON that all readers read alike. Python takes more than that:
    NaN, infinities, halves of characters."""
    try:
        with open(path, encoding='utf-8') as f:
            value = json.load(f, object_pairs_hook=once, parse_int=integer)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
        return value
    except (OSError, ValueError, OverflowError, RecursionError) as error:
        raise Unusable('%s: %s' % (path, getattr(error, 'strerror', None) or error)) from error


def problems(result, strict=False):
    """What is wrong with a result, a line each."""
    import jsonschema
    name = result.get('schema') if isinstance(result, dict) else None
    if not isinstance(name, str) or not name.startswith(PREFIX):
        return ['"schema" is not %s...: no result of dpdk-test-wc-perf' % PREFIX]
    try:
        known = schema(name[len(PREFIX):], strict)
    except Unusable as error:
        return [str(error)]
    checker = jsonschema.Draft202012Validator(
        known, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    return ['%s: %s' % (error.json_path, error.message)
            for error in sorted(checker.iter_errors(result), key=lambda error: error.json_path)] \
        or beyond_schema(result)


def beyond_schema(result):
    """What no schema can say of a result that follows it."""
    wrong = []
    try:
        started(result)
    except ValueError:
        wrong.append('$.started: no such time: %s' % result['started'])
    names = collections.Counter(metric['id'] for metric in result.get('metrics', ()))
    return wrong + ['$.metrics: %d times %s' % (n, name) for name, n in names.items() if n > 1]


def read(path):
    """The result in a file, as of the newest version."""
    result = load(path)
    wrong = problems(result)
    if wrong:
        raise Unusable('%s: %s' % (path, wrong[0]))
    return upgraded(result)


# --- The first version ----------------------------------------------------------------------------

def upgraded(result):
    """Version 1 had the samples in its arms and did not know PCI ids, cores or when a sample was
    taken. What it cannot say stays out."""
    if result['schema'] == NEWEST:
        return result
    result = copy.deepcopy(result)
    result['schema'] = NEWEST
    result['metrics'] = []
    alike = collections.Counter()
    for case in result['cases']:
        parts = (case['pmd'], '-', case['bar'], case['offset'], case['length'],
                 result['settings']['forward'], case['frame_size'], case['burst'], case['queues'],
                 len(case['lcores']) - 1)
        alike[parts] += 1
        case['id'] = '%s/%s/bar%d+0x%x+0x%x/%s/frame%d/burst%d/queues%d/cores%d' % (
            parts[0], '-' if alike[parts] == 1 else '-#%d' % alike[parts], *parts[2:])
        result['metrics'] += case_metrics(result['environment'], case)
    return result


def case_metrics(environment, case):
    honoured = environment['memory_types_honoured']
    kind = 'emulated' if environment['hypervisor'] == 'TCGTCGTCGTCG' else 'measured'
    reasons, rates = {}, {}

    def metric(arm, name, unit, direction, kind, values, why):
        return {'id': '%s/%s/%s' % (case['id'], arm, name), 'case': case['id'], 'arm': arm,
                'metric': name, 'unit': unit, 'direction': direction, 'kind': kind,
                'usable': not why, 'reasons': why, 'samples': [{'value': v} for v in values]}

    for arm in 'plain', 'uc', 'wc':
        if not case.get(arm, {}).get('mpps'):
            continue
        runs = case[arm]
        why = reasons[arm] = []
        if arm == 'wc' and honoured == 'no':
            why.append('this platform ignores memory types')
        if arm != 'wc' and case['mtrr_wc']:
            why.append('a write-combining MTRR is over the range')
        if runs['memory_type_source'] == 'none':
            why.append('nobody observed the memory type')
        if runs['counts_equal'] is False:
            why.append('frames sent and frames that arrived differ')
        rates[arm] = [mpps * 1e6 for mpps in runs['mpps']]
        yield metric(arm, 'tx_rate', 'packets_per_second', 'higher', kind, rates[arm], why)
        if 'bus' in runs:
            yield metric(arm, 'pcie_writes', 'writes_per_packet', 'lower', 'counted',
                         runs['bus']['pcie_writes_per_packet_by_run'],
                         ['stores linger in write-combining buffers: few writes are no gain']
                         if runs['bus']['residency']['lingers'] else [])
        for profile, modelled in runs.get('modelled', {}).items():
            yield {**metric(arm, 'tx_rate', 'packets_per_second', 'higher', 'modelled',
                            [modelled['mpps'] * 1e6], []),
                   'id': '%s/%s/tx_rate/%s' % (case['id'], arm, profile), 'profile': profile}
    for over, under in ('wc', 'uc'), ('uc', 'plain'):
        if over in rates and under in rates:
            why = list(reasons[over] or reasons[under])
            if over == 'wc' and honoured == 'unknown':
                why.append('whether this platform honours memory types is unknown (--probe)')
            yield metric(over + '/' + under, 'tx_rate', 'ratio', 'higher', kind,
                         [a / b for a, b in zip(rates[over], rates[under])], why)


# --- Where it is from -----------------------------------------------------------------------------

def circumstances(result):
    """{what: value} of all that must be equal where rates are compared."""
    return {'%s.%s' % (part, key): result[part].get(key, UNKNOWN)
            for part, keys in FINGERPRINT.items() for key in keys}


def fingerprint(result):
    known = {key: value for key, value in circumstances(result).items() if value is not UNKNOWN}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:12]


def placed(result):
    """The same of each case: where it ran."""
    return {'%s of %s' % (key, case['id']): case[key]
            for case in result['cases'] for key in ('lcores', 'numa_node') if key in case}


def differences(old, new):
    """Lines: what is not the same around two results, in the cases that both have."""
    a, b = circumstances(old), circumstances(new)
    places = placed(old), placed(new)
    for name in [name for name in places[0] if name in places[1]]:
        a[name], b[name] = places[0][name], places[1][name]
    unknown = {UNKNOWN: 'not said'}
    return ['%s: %s, then %s' % (key, *(unknown.get(v) if v is UNKNOWN else json.dumps(v)
                                        for v in (a[key], b[key])))
            for key in a if a[key] != b[key]]


# --- Text -----------------------------------------------------------------------------------------

def printable(value):
    """Without what XML has no word for and a terminal obeys; testpmd's last words may have some."""
    if isinstance(value, str):
        return CONTROL.sub('\ufffd', value)
    if isinstance(value, list):
        return [printable(item) for item in value]
    if isinstance(value, dict):
        return {key: printable(item) for key, item in value.items()}
    return value


# --- Numbers --------------------------------------------------------------------------------------

def started(result):
    """Seconds since 1970."""
    return datetime.datetime.strptime(result['started'], '%Y-%m-%dT%H:%M:%S%z').timestamp()


def values(metric):
    """One for each start of testpmd, the median: samples of one start have in common what that
    start is like, so they are no witnesses apart. One that does not say its start has its own."""
    starts = {}
    for number, sample in enumerate(metric['samples']):
        starts.setdefault(sample.get('start', -number), []).append(sample['value'])
    return [statistics.median(samples) for samples in starts.values()]


class Summary(NamedTuple):
    n: int
    median: float
    low: float          # 95% of the median, by the sign test; None: too few starts
    high: float


def summary(metric):
    from scipy import special
    ordered = sorted(values(metric))
    n = len(ordered)
    rank = int((special.bdtr(range(n), n, 0.5) <= 0.025).sum())
    median = statistics.median(ordered)
    if rank == 0:
        return Summary(n, median, None, None)
    return Summary(n, median, ordered[rank - 1], ordered[n - rank])

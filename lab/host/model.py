# SPDX-License-Identifier: BSD-3-Clause
"""From counts to packet rates. Everything here is modelled, nothing measured on a NIC.

A packet takes a core

    instructions / (IPC x clock) + uncached writes x uc_ns + writes from WC buffers x wc_ns

and the link its bytes on the wire; the slower of the two bounds the rate. Instructions are those of
user mode per packet that testpmd offered, sent or not (the emulated device is often full, where
testpmd then drops packets: they cost the same, short of the store). The arms run the same code, so
all of a case are given the fewest: the rest is polling.
"""

import collections
import math
import statistics

# Published by AWS: awslabs/aws-fpga-app-notes, Using-PCIe-Write-Combining (version 1.0, 2017), the
# table "Write Performance": bytes, GB/s of 4-byte stores uncached ("burst"), write-combining
# ("burst-wc").
AWS_F1 = [
    (64, 0.003485, 0.025869), (128, 0.028432, 0.438356), (256, 0.010424, 0.870748),
    (512, 0.029879, 1.16895), (1024, 0.030233, 1.376344), (2048, 0.030331, 1.530643),
    (4096, 0.029984, 1.165955), (8192, 0.030147, 1.304874), (16384, 0.029303, 1.40286),
    (32768, 0.028774, 1.400402), (65536, 0.028624, 1.406503), (131072, 0.029077, 1.407107),
    (262144, 0.02878, 1.383455), (524288, 0.028753, 1.356239), (1048576, 0.028933, 1.334822),
    (2097152, 0.028839, 1.513256), (4194304, 0.02885, 1.472497),
]
CALIBRATED_ON = 4096
STEADY_FROM = 512 # shorter rows are dominated by what a single call costs
STORE, LINE = 4, 64

# PCIe 3.0: 8 GT/s a lane, 128b/130b (base specification 4.2.2).
GEN3_X16, GEN3_X8 = (16 * 8 / 8 * 128 / 130, 8 * 8 / 8 * 128 / 130)

Profile = collections.namedtuple('Profile', 'source uc_ns wc_ns ghz ipc gbytes_per_s')


def calibrate():
    """(ns of an uncached store, ns of a line), from one row of the table."""
    uc, wc = next(row[1:] for row in AWS_F1 if row[0] == CALIBRATED_ON)
    return STORE / uc, LINE / wc


def errors():
    """(bytes, error of the modelled UC rate, of the WC rate) of the other rows."""
    uc_ns, wc_ns = calibrate()
    return [(size, STORE / uc_ns / uc - 1, LINE / wc_ns / wc - 1)
            for size, uc, wc in AWS_F1 if size != CALIBRATED_ON]


def profiles(local=None):
    """All profiles; local: (ns a store, ns a line) of the processor at hand."""
    uc_ns, wc_ns = calibrate()
    found = {'aws-f1': Profile(
        'AWS F1 application note "Using PCIe Write Combining", row of %d bytes; E5-2686 v4 at 2.3 '
        'GHz, PCIe 3.0 x16; the IPC is assumed' % CALIBRATED_ON, uc_ns, wc_ns, 2.3, 1.0, GEN3_X16)}
    # The published uncached figures differ widely between platforms: swept, not believed.
    for ns in (50, 100, 150, 200, 300):
        found['uc-%dns' % ns] = Profile(
            'sweep of the uncached cost; the rest as aws-f1, PCIe 3.0 x8', ns, wc_ns, 2.3, 1.0,
            GEN3_X8)
    if local:
        found['local'] = Profile(
            'proxy: non-temporal stores to ordinary memory on this processor, fenced store by '
            'store and line by line (lab/bus/local.c); clock and IPC are assumed',
            local[0], local[1], 2.3, 1.0, GEN3_X8)
    return found


def per_packet(arm):
    """(instructions, uncached writes, writes from WC buffers, wire bytes) of a packet, by runs."""
    found = []
    for bus, dropped in zip(arm['bus_runs'], arm['dropped']) if arm and 'bus_runs' in arm else ():
        if bus['packets']:
            offered = 1 + dropped / bus['packets']
            wc = bus['wc_writes_per_packet']
            found.append((bus['instructions_per_packet'] / offered,
                          bus['pcie_writes_per_packet'] - wc, wc, bus['wire_bytes_per_packet']))
    return found


def typical(runs):
    """Medians of those; None: there are none."""
    return tuple(statistics.median(column) for column in zip(*runs)) or None


def rate(profile, counts):
    """(Mpps, what bounds it)."""
    instructions, uc, wc, wire = counts
    core = instructions / (profile.ipc * profile.ghz) + uc * profile.uc_ns + wc * profile.wc_ns
    link = wire / profile.gbytes_per_s
    return 1e3 / max(core, link), 'core' if core >= link else 'link'


def crossover(profile, uc, wc):
    """Cost of an uncached store, ns, from which on the wc arm is the faster one; None: never.

    The stores that both arms do uncached cost both the same.
    """
    if uc is None or wc is None or uc[1] <= wc[1]:
        return None
    return (wc[2] - uc[2]) * profile.wc_ns / (uc[1] - wc[1])


def lingers(arm):
    """Does it look cheap only because doorbells wait, and merge?"""
    return any(bus['residency']['lingers'] for bus in arm['bus_runs'])


# --- A known answer -------------------------------------------------------------------------------

# The plugin (../bus/plugin.c) lets an instruction take so long, more than three times what it takes
# on a quiet machine, so that there is time to make up for what a loaded one takes away.
EMULATED_PS = 250000


def emulation(name):
    """What a profile's writes cost in instructions, (uncached, from a WC buffer); '0': nothing."""
    if name == '0':
        return 0, 0
    profile = profiles()[name]
    return tuple(ns * profile.ghz * profile.ipc for ns in (profile.uc_ns, profile.wc_ns))


def pace(costs):
    """As the plugin is told."""
    return ['pace', str(EMULATED_PS), *('%d' % round(1000 * cost) for cost in costs)]


def known(case):
    """What the ratio wc/uc must be where writes were made to cost something: from counts and costs,
    with no clock. None: they were not."""
    def takes(bus):
        wc = bus['wc_writes_per_packet']
        return (bus['instructions_per_packet'] + wc * bus['emulated']['wc_instructions'] +
                (bus['pcie_writes_per_packet'] - wc) * bus['emulated']['uc_instructions'])

    runs = [case.get(arm, {}).get('bus_runs', ()) for arm in ('uc', 'wc')]
    pairs = [pair for pair in zip(*runs) if all('emulated' in bus for bus in pair)]
    if not pairs:
        return None
    return math.exp(statistics.mean(math.log(takes(uc) / takes(wc)) for uc, wc in pairs))


def add_known(result):
    """Put it into a result."""
    for case in result['cases']:
        ratio = known(case)
        if ratio is not None:
            interval = case['ratio']['ci95']
            case['known'] = {'ratio': ratio, 'in_interval':
                             interval and interval[0] <= ratio <= interval[1]}


def known_table(result):
    """Lines for people."""
    for case in result['cases']:
        if 'known' in case:
            yield '*Emulated*: %s, frame %d, burst %d: by counts and costs wc/uc must be %.3f; ' \
                'measured %.3f: %s' % (
                    case['device'], case['frame_size'], case['burst'], case['known']['ratio'],
                    case['ratio']['estimate'],
                    {True: 'in the interval', False: 'NOT in the interval',
                     None: 'too few starts for an interval'}[case['known']['in_interval']])


def metric(case, arm, profile, rates):
    """As doc/schema has it: a sample a run, taken when its counts were."""
    why = ['stores linger in write-combining buffers: few writes are no gain'] \
        if lingers(case[arm]) else []
    return {'id': '%s/%s/tx_rate/%s' % (case['id'], arm, profile), 'case': case['id'], 'arm': arm,
            'metric': 'tx_rate', 'profile': profile, 'unit': 'packets_per_second',
            'direction': 'higher', 'kind': 'modelled', 'usable': not why, 'reasons': why,
            'samples': [{'value': mpps * 1e6, **{key: bus[key] for key in
                                                 ('at_s', 'order', 'start')}}
                        for mpps, bus in zip(rates, case[arm]['bus_runs'])]}


def add(result, local=None):
    """Put what is modelled into a result of dpdk-test-wc-perf; False: there are no counts."""
    known = profiles(local)
    any_counts = False
    for case in result['cases']:
        runs = {name: per_packet(case.get(name)) for name in ('plain', 'uc', 'wc')}
        fewest = min((run[0] for some in runs.values() for run in some), default=0)
        runs = {name: [(fewest, *run[1:]) for run in some] for name, some in runs.items()}
        counts = {name: typical(some) for name, some in runs.items()}
        for name, c in counts.items():
            if c:
                any_counts = True
                case[name]['modelled'] = {
                    key: dict(zip(('mpps', 'bound_by'), rate(profile, c)))
                    for key, profile in known.items()}
                result['metrics'] += [
                    metric(case, name, key, [rate(profile, run)[0] for run in runs[name]])
                    for key, profile in known.items()]
        case['crossover_ns'] = None
        if counts['wc'] and not lingers(case['wc']):
            case['crossover_ns'] = crossover(known['aws-f1'], counts['uc'], counts['wc'])
    if any_counts:
        result['profiles'] = {key: profile._asdict() for key, profile in known.items()}
    return any_counts


def table(result):
    """Lines for people."""
    known = result['profiles']
    yield '*Modelled* packet rates, Mpps, from the counts above (doc/bus.rst). No NIC was measured.'
    yield '%-13s %5s %5s  arm  ' % ('device', 'frame', 'burst') + \
        ''.join('%9s' % key for key in known)
    for case in result['cases']:
        for name in ('uc', 'wc'):
            modelled = case.get(name, {}).get('modelled')
            if modelled:
                yield '%-13s %5d %5d  %-5s' % (
                    case['device'], case['frame_size'], case['burst'], name) + \
                    ''.join('%9.3f' % modelled[key]['mpps'] for key in known)
        if 'bus_runs' in case.get('wc', {}) and lingers(case['wc']):
            yield '%27s wc: doorbells wait for want of a flush; its rate is no gain' % ''
        if case['crossover_ns'] is not None:
            yield '%27s *modelled*: wc wins where an uncached store costs more than %.0f ns' % (
                '', case['crossover_ns'])
    steady = [error for error in errors() if error[0] >= STEADY_FROM]
    uc, wc = ([100 * error[arm] for error in steady] for arm in (1, 2))
    yield 'aws-f1 is calibrated on the row of %d bytes; the other rows from %d bytes on: ' \
        '%+.0f..%+.0f%% uncached, %+.0f..%+.0f%% write-combining; shorter rows are not ' \
        'modelled.' % (CALIBRATED_ON, STEADY_FROM, min(uc), max(uc), min(wc), max(wc))
    for key in ('local',):
        if key in known:
            yield 'local: %.0f ns a store, %.0f ns a line; %s.' % (
                known[key]['uc_ns'], known[key]['wc_ns'], known[key]['source'])

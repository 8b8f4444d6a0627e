# SPDX-License-Identifier: BSD-3-Clause
"""Results to test with."""

import os

import numpy

TOOL = os.path.dirname(os.path.realpath(__file__)) + '/../dpdk-wc-results'
CASE = 'net_ena/1d0f:ec20/bar2+0x0+0x100000/txonly/frame%d/burst32/queues1/cores1'


def metric(arm='wc/uc', name='tx_rate', values=(2.0,) * 6, frame=64, turns=0, **more):
    """turns: of a start; 0: the samples do not say of which start they are."""
    case = CASE % frame
    found = {
        'id': '%s/%s/%s' % (case, arm, name), 'case': case, 'arm': arm, 'metric': name,
        'unit': 'ratio' if '/' in arm else 'packets_per_second', 'direction': 'higher',
        'kind': 'measured', 'usable': True, 'reasons': [],
        'samples': [{'value': float(v), 'at_s': 3.0 * n, 'order': n + 1,
                     **({'start': n // turns + 1} if turns else {})}
                    for n, v in enumerate(values)]}
    if name.startswith('pcie_'):
        found.update(unit='writes_per_packet', direction='lower', kind='counted')
    found.update(more)
    return found


def case(frame=64):
    return {'id': CASE % frame, 'device': '0000:00:07.0', 'vendor_id': '0x1d0f',
            'device_id': '0xec20', 'pmd': 'net_ena', 'iommu': 'DMA', 'bar': 2, 'offset': 0,
            'length': 0x100000, 'frame_size': frame, 'burst': 32, 'queues': 1, 'mtrr_wc': False,
            'lcores': [0, 1], 'numa_node': 0}


def result(metrics, **environment):
    machine = dict.fromkeys(('microcode', 'host_id', 'command_line', 'smt', 'isolated',
                             'nohz_full', 'online', 'numa_nodes', 'no_turbo', 'boost', 'governor'))
    frames = dict.fromkeys(int(m['case'].split('frame')[1].split('/')[0]) for m in metrics)
    return {
        'schema': 'dpdk-vfio-wc/test-wc-perf/2', 'status': 'ok', 'seconds': 60.0,
        'started': '2026-11-21T01:00:00Z',
        'environment': {
            **machine, 'kernel': '6.12.48', 'kernel_build': '#1', 'dpdk': 'DPDK 24.11.4',
            'cpu': 'a CPU', 'hypervisor': 'none', 'hugepages': {'2048kB': 512},
            'parts': {'version': '0.1.0', 'commit': 'e2e1261', 'modules': {}, 'plugin': None},
            'memory_types_honoured': 'yes', 'warnings': [], **environment},
        'settings': {'command_line': ['dpdk-test-wc-perf'], 'arms': ['uc', 'wc'],
                     'wc_by': 'plugin', 'forward': 'txonly', 'cores': 1, 'repeats': 6,
                     'warmup_s': 1.0, 'window_s': 2.0, 'seed': '0x1', 'mem_mb': 192, 'eal': [],
                     'testpmd': []},
        'metrics': metrics, 'cases': [case(frame) for frame in frames]}


def noise(random, shape, deviation):
    """Normal, and one sample in ten with four times the deviation."""
    wide = numpy.where(random.random(shape) < 0.1, 4, 1)
    return 1 + deviation * wide * random.standard_normal(shape)


def report(random, repeats=8, cases=8, deviation=0.05, counted=0.0016, slower=1.0, more=1.0):
    """The metrics of one run: ratios, rates and counts; all rates slower, all counts more."""
    def some(level, sd):
        return level * noise(random, repeats, sd)
    found = []
    for frame in range(64, 64 + cases):
        found += [metric('wc', 'tx_rate', some(2e6 * slower, deviation), frame),
                  metric('wc/uc', 'tx_rate', some(2.0 * slower, deviation), frame),
                  metric('wc', 'pcie_writes', some(2.04 * more, counted), frame)]
    return found

# SPDX-License-Identifier: BSD-3-Clause
"""What is modelled from counts, in numbers that can be followed by hand, and by the schema."""

import copy
import os
import sys
import unittest

import model

sys.path.append(os.path.dirname(__file__) + '/../../app/wc-results')
from wc_results import results # noqa: E402


def bus(uc_writes, wc_writes, instructions, lingers=False, order=1):
    per_packet = dict.fromkeys((
        'stores', 'payload_bytes', 'full_lines', 'partial_lines', 'fences'), 1)
    per_packet.update(pcie_writes=uc_writes + wc_writes, wc_writes=wc_writes, wire_bytes=100,
                      instructions=2 * instructions)
    return {
        'at_s': 2.0 * order, 'order': order, 'start': order,
        'packets': 10, 'pcie_writes_per_burst': 1, 'loads': 0, 'merged_stores': 0,
        'drained': {}, 'sites': [],
        'residency': {'stores': 1, 'median': 1, 'p99': 1, 'worst': 1, 'lingers': lingers},
        **{name + '_per_packet': value for name, value in per_packet.items()}}


def arm(memory_type, uc_writes, wc_writes, instructions=230, lingers=False):
    """As dpdk-test-wc-perf writes it: one run, a packet sent for each that was dropped."""
    runs = [bus(uc_writes, wc_writes, instructions, lingers)]
    return {
        'memory_type': memory_type, 'memory_type_source': 'pte', 'leaves': [], 'other_leaves': {},
        'sent': [10], 'dropped': [10], 'counts_equal': None, 'bus': runs[-1], 'bus_runs': runs}


def result(**arms):
    return {
        'schema': 'dpdk-vfio-wc/test-wc-perf/2', 'status': 'ok', 'seconds': 1,
        'started': '2026-11-21T01:00:00Z',
        'environment': {
            **dict.fromkeys(('kernel', 'kernel_build', 'dpdk', 'cpu', 'hypervisor'), ''),
            **dict.fromkeys(('microcode', 'host_id', 'command_line', 'smt', 'isolated', 'nohz_full',
                             'online', 'numa_nodes', 'no_turbo', 'boost', 'governor')),
            'parts': {'version': '', 'commit': '', 'modules': {}, 'plugin': None},
            'hugepages': {}, 'memory_types_honoured': 'no', 'warnings': []},
        'settings': {'command_line': [], 'arms': ['uc', 'wc'], 'wc_by': 'plugin',
                     'forward': 'txonly', 'cores': 1, 'repeats': 1, 'warmup_s': 1, 'window_s': 1,
                     'seed': '0x1', 'mem_mb': 64, 'eal': [], 'testpmd': []},
        'metrics': [],
        'cases': [{'id': 'net_ena', 'vendor_id': '0x1d0f', 'device_id': '0xec20', 'iommu': None,
                   'device': '0000:00:07.0', 'pmd': 'net_ena', 'bar': 2, 'offset': 0,
                   'length': 4096, 'frame_size': 64, 'burst': 32, 'queues': 1, 'mtrr_wc': False,
                   'lcores': [0, 1], 'numa_node': 0, **arms}]}


class Model(unittest.TestCase):
    def setUp(self):
        self.result = result(uc=arm('UC-', 17, 0), wc=arm('WC', 1, 2))
        self.counts = model.add(self.result, (40, 10))
        self.case = self.result['cases'][0]

    def test_rates(self):
        self.assertTrue(self.counts)
        # 230 instructions at 2.3 GHz are 100 ns; 17 writes at 100 ns; 1 at 100 and 2 lines.
        _, line = model.calibrate()
        self.assertAlmostEqual(line, 54.89, places=2)
        for name, ns in (('uc', 100 + 17 * 100), ('wc', 100 + 100 + 2 * line)):
            modelled = self.case[name]['modelled']['uc-100ns']
            self.assertAlmostEqual(modelled['mpps'], 1000 / ns)
            self.assertEqual(modelled['bound_by'], 'core')
        self.assertAlmostEqual(self.case['uc']['modelled']['local']['mpps'], 1000 / (100 + 17 * 40))

    def test_each_run_is_a_sample(self):
        more = result(uc=arm('UC-', 17, 0), wc=arm('WC', 1, 2))
        for number in 2, 3:
            more['cases'][0]['uc']['bus_runs'].append(bus(17 + number, 0, 230 * number,
                                                          order=number))
        more['cases'][0]['uc']['dropped'] = [10] * 3
        model.add(more)
        metric, = [metric for metric in more['metrics']
                   if metric['id'] == 'net_ena/uc/tx_rate/uc-100ns']
        rates = [1e9 / (100 + writes * 100) for writes in (17, 19, 20)]
        self.assertEqual([(sample['order'], sample['start'], sample['at_s'])
                          for sample in metric['samples']], [(n, n, 2 * n) for n in (1, 2, 3)])
        for sample, wanted in zip(metric['samples'], rates):
            self.assertAlmostEqual(sample['value'], wanted)
        modelled = more['cases'][0]['uc']['modelled']['uc-100ns']['mpps']
        self.assertAlmostEqual(modelled * 1e6, rates[1])
        self.assertEqual(results.problems(more, strict=True), [])

    def test_a_known_answer(self):
        """2 of 16 + 1/8 writes are lines; by hand, and as the plugin is told of it."""
        self.assertEqual(model.emulation('0'), (0, 0))
        costs = model.emulation('aws-f1')
        self.assertAlmostEqual(costs[0], 2.3 * 4 / 0.029984)
        self.assertAlmostEqual(costs[1], 2.3 * 64 / 1.165955)
        self.assertEqual(model.pace((306.8256, 0)), ['pace', '250000', '306826', '0'])
        self.assertIsNone(model.known(self.case))
        emulated = result(uc=arm('UC-', 16.125, 0, instructions=115),
                          wc=arm('WC', 0.125, 2, instructions=120))
        case, = emulated['cases']
        for name in 'uc', 'wc':
            case[name]['bus_runs'][0]['emulated'] = {
                'instruction_ns': 250, 'uc_instructions': 300, 'wc_instructions': 126,
                'late_s': 0}
        must = (230 + 16.125 * 300) / (240 + 0.125 * 300 + 2 * 126)
        self.assertAlmostEqual(model.known(case), must)
        for interval, inside in (([9, 9.8], True), ([9.6, 9.8], False), (None, None)):
            case['ratio'] = {'estimate': 9.7, 'median': 9.7, 'ci95': interval, 'pairs': 1}
            model.add_known(emulated)
            self.assertEqual(case['known'], {'ratio': model.known(case), 'in_interval': inside})
            line, = model.known_table(emulated)
            self.assertIn('*Emulated*', line)
            self.assertIn('must be 9.570; measured 9.700', line)
        emulated['environment']['lab'] = {'qemu': '', 'host_cpu': '', 'host_kernel': '',
                                          'emulated': 'aws-f1'}
        self.assertEqual(results.problems(emulated, strict=True), [])

    def test_link(self):
        counts = (0, 0, 0, 1000)
        profile = model.profiles()['uc-50ns']
        self.assertEqual(model.rate(profile, counts), (profile.gbytes_per_s, 'link'))

    def test_fewest_instructions_are_those_of_all_arms(self):
        slow = result(uc=arm('UC-', 17, 0, instructions=2300), wc=arm('WC', 1, 2))
        model.add(slow, (40, 10))
        self.assertEqual(slow['cases'][0]['uc']['modelled'], self.case['uc']['modelled'])

    def test_crossover(self):
        _, line = model.calibrate()
        self.assertAlmostEqual(self.case['crossover_ns'], 2 * line / 16)
        lingering = result(uc=arm('UC-', 1, 0), wc=arm('WC', 0, 1, lingers=True))
        model.add(lingering)
        self.assertIsNone(lingering['cases'][0]['crossover_ns'])

    def test_no_counts(self):
        bare = result(uc=arm('UC-', 17, 0), wc=arm('WC', 1, 2))
        for name in 'uc', 'wc':
            del bare['cases'][0][name]['bus'], bare['cases'][0][name]['bus_runs']
        before = copy.deepcopy(bare)
        self.assertFalse(model.add(bare))
        before['cases'][0]['crossover_ns'] = None
        self.assertEqual(bare, before)

    def test_table_says_that_it_is_modelled(self):
        lines = list(model.table(self.result))
        self.assertIn('*Modelled*', lines[0])
        self.assertIn('No NIC was measured', lines[0])
        self.assertEqual([line.split()[3] for line in lines[2:4]], ['uc', 'wc'])

    def test_result_follows_the_schema(self):
        self.assertEqual(results.problems(self.result, strict=True), [])

    def test_metrics_are_modelled(self):
        metric, = [metric for metric in self.result['metrics']
                   if metric['id'] == 'net_ena/wc/tx_rate/uc-100ns']
        self.assertEqual((metric['kind'], metric['usable']), ('modelled', True))
        self.assertEqual(metric['samples'][0]['value'],
                         self.case['wc']['modelled']['uc-100ns']['mpps'] * 1e6)
        lingering = result(uc=arm('UC-', 1, 0), wc=arm('WC', 0, 1, lingers=True))
        model.add(lingering)
        self.assertEqual([metric['arm'] for metric in lingering['metrics']
                          if not metric['usable']], ['wc'] * 6)


if __name__ == '__main__':
    unittest.main()

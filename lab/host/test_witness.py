# SPDX-License-Identifier: BSD-3-Clause
"""The witness against page tables made by hand."""

import socket
import tempfile
import unittest
from unittest import mock

import arm64
import witness
from witness import Error, PageTables, Witness, pat_types

P, PS, PWT, PCD, NX = 1, 0x80, 8, 16, 1 << 63
LINUX = 'x86/PAT: Configuration [0-7]: WB  WC  UC- UC  WB  WP  UC- WT  '


class Image:
    """RAM of 1 MB in which map_page() builds tables as an operating system does."""
    RAM = 1 << 20

    def __init__(self, levels):
        self.words, self.next, self.levels = {}, 0x2000, levels
        self.cr3 = 0x1000 | 0x18 # with PWT and PCD of the tables themselves set: not the leaf's

    def map_page(self, va, entry, level=1):
        table = self.cr3 & ~0xfff
        for depth in range(self.levels, level, -1):
            slot = table + 8 * (va >> (12 + 9 * (depth - 1)) & 511)
            if slot not in self.words:
                self.words[slot] = self.next | 0x7 | PWT
                self.next += 0x1000
            table = self.words[slot] & 0x000ffffffffff000
        self.words[table + 8 * (va >> (12 + 9 * (level - 1)) & 511)] = entry

    def read64(self, pa):
        return self.words.get(pa, 0) if pa < self.RAM else None

    def leaves(self, start, end):
        found = PageTables(self.read64, self.cr3, self.levels).leaves(start, end)
        return [(leaf.va, leaf.pa, leaf.size, leaf.pat_index()) for leaf in found]


class Walk(unittest.TestCase):
    def test_small_pages_and_all_eight_types(self):
        for levels in 4, 5:
            image = Image(levels)
            for index in range(8):
                flags = (index & 1) * PWT | (index >> 1 & 1) * PCD | (index >> 2) * 0x80
                image.map_page(0x7f0000000000 + 0x1000 * index,
                               0xfe000000 + 0x1000 * index | P | NX | flags)
            self.assertEqual(
                image.leaves(0x7f0000000000, 0x7f0000008000),
                [(0x7f0000000000 + 0x1000 * i, 0xfe000000 + 0x1000 * i, 4096, i) for i in range(8)])

    def test_large_pages_have_their_pat_bit_elsewhere(self):
        image = Image(4)
        image.map_page(0x40000000, 0xc0000000 | P | PS | 1 << 12 | PWT, level=2)
        image.map_page(0x80000000, 0x4080000000 | P | PS | PCD, level=3)
        self.assertEqual(image.leaves(0, 1 << 47), [(0x40000000, 0xc0000000, 2 << 20, 5),
                                                    (0x80000000, 0x4080000000, 1 << 30, 2)])

    def test_range_ends_and_holes(self):
        image = Image(4)
        for page in 0, 1, 2, 4:
            image.map_page(0x1ff000 + 0x1000 * page, 0xfe000000 + 0x1000 * page | P)

        def addresses(start, end):
            return [leaf[0] for leaf in image.leaves(start, end)]
        self.assertEqual(addresses(0x200000, 0x203000), [0x200000, 0x201000])
        self.assertEqual(addresses(0x201fff, 0x203001), [0x201000, 0x203000])
        self.assertEqual(addresses(0x202000, 0x203000), [])

    def test_entry_that_is_not_present(self):
        image = Image(4)
        image.map_page(0x5000, 0xfe000000) # as after zapping: no P
        self.assertEqual(image.leaves(0, 1 << 47), [])

    def test_table_outside_ram(self):
        image = Image(4)
        image.map_page(0x40000000, Image.RAM | 0x7, level=2)
        self.assertEqual(image.leaves(0, 1 << 47), [])

    def test_addresses_above_128_tb_need_five_levels(self):
        image = Image(5)
        image.map_page(1 << 50, 0xfe000000 | P)
        self.assertEqual(image.leaves(1 << 50, (1 << 50) + 1), [(1 << 50, 0xfe000000, 4096, 0)])
        tables = PageTables(image.read64, image.cr3, 5)
        self.assertEqual(tables.translate((1 << 50) + 0x123), 0xfe000123)


class Pat(unittest.TestCase):
    def test_as_linux_programs_it(self):
        self.assertEqual(pat_types('[ 0.1] %s\n[ 0.2] next' % LINUX),
                         ['WB', 'WC', 'UC-', 'UC', 'WB', 'WP', 'UC-', 'WT'])

    def test_as_it_is_after_power_on(self):
        text = 'x86/PAT: Configuration [0-7]: WB  WT  UC- UC  WB  WT  UC- UC  \n'
        self.assertEqual(pat_types(text)[1], 'WT')

    def test_not_printed(self):
        with self.assertRaises(Error):
            pat_types('x86/PAT: PAT support disabled because CONFIG_X86_PAT is disabled')


class Answers(unittest.TestCase):
    """A witness as a guest asks it, of a process that has RAM and the pages of BARs."""
    BAR = 0xfe000000

    def setUp(self):
        image = Image(4)
        image.map_page(0x5000, 0x3000 | P)
        for index in range(8):
            flags = (index & 1) * PWT | (index >> 1 & 1) * PCD | (index >> 2) * 0x80
            image.map_page(0x7f0000000000 + 0x1000 * index, self.BAR + 0x1000 * index | P | flags)
        self.dir = tempfile.TemporaryDirectory()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.dir.name + '/witness')
        self.listener.listen()
        with open(self.dir.name + '/ram', 'wb') as f:
            f.truncate(Image.RAM)
            for pa, word in image.words.items():
                f.seek(pa)
                f.write(word.to_bytes(8, 'little'))
        guest = mock.Mock(dir=self.dir.name, ram=Image.RAM, enas={}, plugin=None)
        guest.qmp.monitor.side_effect = lambda line, cpu: {
            1: 'EFER=0000000000000d01\nCR0=80050033 CR2=0 CR3=%016x CR4=00000020' % image.cr3,
            0: 'CR0=80050033 CR2=0 CR3=%016x CR4=00000020' % 0x80000}[cpu]
        self.witness = Witness(guest)
        self.witness.pat = lambda: pat_types(LINUX)

    def tearDown(self):
        self.witness.sock.close()
        self.listener.close()
        self.dir.cleanup()

    def ask(self, line):
        return self.witness.answer(line.split()).splitlines()

    def test_types_are_those_of_the_entries(self):
        *leaves, end = self.ask('walk 1 0x7f0000000000 0x8000 %#x' % self.BAR)
        self.assertEqual(end, 'end 8')
        self.assertEqual([line.split()[5] for line in leaves],
                         ['WB', 'WC', 'UC-', 'UC', 'WB', 'WP', 'UC-', 'WT'])
        self.assertEqual(leaves[1], 'leaf 0x7f0000001000 0xfe001000 0xfe001009 0x1000 WC')

    def test_all_that_is_not_ram(self):
        *leaves, end = self.ask('mmio 1 0x7f0000001000 %#x' % (self.BAR + 0x1000))
        self.assertEqual(end, 'end 8')
        self.assertEqual([int(line.split()[2], 0) for line in leaves],
                         [self.BAR + 0x1000 * index for index in range(8)])

    def test_only_the_process_that_was_meant(self):
        with mock.patch.object(witness, 'ANCHOR_SECONDS', 0.1):
            for question in 'walk 1 0x7f0000000000 0x1000 0xfe001000', \
                    'walk 0 0x7f0000000000 0x1000 0xfe000000', 'mmio 1 0x7e0000000000 0xfe000000':
                self.assertRegex(self.ask(question)[0], '^error anchor')

    def test_nonsense(self):
        for question in 'frobnicate', 'walk 1', 'walk 1 0 x 0', '':
            self.assertRegex(self.ask(question)[0], '^error ')


class Arm64(unittest.TestCase):
    """Descriptors: bit 0 valid, bit 1 table or (level 3) page, AttrIndx 4:2, TTBR0 and TCR_EL1 as
    Linux sets them with 48-bit and with 52-bit addresses (LPA2)."""
    TCR = {4: 16, 5: 12 | 1 << 59}

    def leaves(self, words, levels, start, end, root=0x1000):
        asid = 0xabcd << 48 if levels == 4 else 0
        tables = arm64.PageTables(lambda pa: words.get(pa, 0), root | asid, self.TCR[levels])
        return [(leaf.va, leaf.pa, leaf.size, arm64.attribute_index(leaf.pte))
                for leaf in tables.leaves(start, end)]

    def tables(self, levels):
        """Tables down to the last level for address 0 on, at 0x1000, 0x2000, ..."""
        words = {0x1000 * n: 0x1000 * (n + 1) | 3 | 1 << 60 for n in range(1, levels)}
        return words, 0x1000 * levels

    def test_pages_with_each_index(self):
        for levels in 4, 5:
            words, last = self.tables(levels)
            for index in range(8):
                page = 0x10000000 + 0x1000 * index
                words[last + 8 * index] = page | 1 << 54 | 0xf40 | index << 2 | 3
            if levels == 5: # bits 9:8 are the address's bits 51:50 there, not shareability
                words = {at: entry & ~0x300 if at >= last else entry for at, entry in words.items()}
            self.assertEqual(self.leaves(words, levels, 0, 0x8000),
                             [(0x1000 * i, 0x10000000 + 0x1000 * i, 4096, i) for i in range(8)])

    def test_blocks_invalid_entries_and_wide_addresses(self):
        words, last = self.tables(4)
        words[last - 0x1000 + 8] = 0x8000200000 | 2 << 2 | 1
        words[last - 0x1000 + 16] = 0x8000400000 | 2 << 2 # not valid
        words[last + 16] = 0x10002000 | 3 << 2 | 2 # nor this
        self.assertEqual(self.leaves(words, 4, 0, 1 << 48), [(0x200000, 0x8000200000, 2 << 20, 2)])
        words, last = self.tables(5)
        words[last] = 0x0003_8000_0000_0000 | 3 << 8 | 3 << 2 | 3
        self.assertEqual(self.leaves(words, 5, 0, 0x1000), [(0, 0xf_8000_0000_0000, 4096, 3)])

    def test_other_granules_are_refused(self):
        with self.assertRaises(Error):
            arm64.PageTables(None, 0x1000, 16 | 1 << 14)

    def test_types_are_known_by_their_attributes(self):
        self.assertEqual([arm64.TYPES[n] for n in (0x00, 0x44, 0x04, 0xff)],
                         ['UC-', 'WC', 'nGnRE', 'WB'])


if __name__ == '__main__':
    unittest.main()

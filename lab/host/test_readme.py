# SPDX-License-Identifier: BSD-3-Clause
"""The plot on the README's first screen shows what lab/tests/bus/test_writes.py holds the counts
to: an entry's stores, and a doorbell a burst. The changelog begins with what is to come and this
version."""

import re
import unittest

ENTRY, BURST = 128, 32


class Readme(unittest.TestCase):
    def test_plot(self):
        with open('/src/README.md', encoding='utf-8') as f:
            text = f.read()
        bars = re.findall(r'^ +(\S+) +(#+) +([\d.]+)$', text, re.M)
        self.assertEqual([arm for arm, *_ in bars], ['UC-', 'WC'])
        for (_, bar, value), store in zip(bars, (8, 64)):
            floor = ENTRY / store + 1 / BURST
            self.assertTrue(round(floor, 2) <= float(value) <= floor * 1.03, value)
            self.assertEqual(len(bar), round(4 * float(value)))

    def test_changelog(self):
        with open('/src/kernel-patch/version', encoding='utf-8') as f:
            version = f.read().strip()
        with open('/src/CHANGELOG.md', encoding='utf-8') as f:
            found = re.findall(r'^## \[(.*?)\]', f.read(), re.M)
        self.assertEqual([name for name in found[:2] if name != 'Unreleased'][0], version)


if __name__ == '__main__':
    unittest.main()

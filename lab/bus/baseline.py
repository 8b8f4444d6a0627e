#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""baseline.py RESULT...: record in baseline.json the PCIe writes per packet of these results of
lab/run bench. On purpose only: tests/bus/test_baseline.py fails where there are more than recorded.
"""

import json
import os
import sys

BASELINE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'baseline.json')
# Where a ring is full, a burst leaves in pieces with a doorbell each: how often depends on how the
# emulated device keeps up.
TOLERANCE = 1.10
# Less than a write a burst is luck: notifications that virtio's device wants no more, or doorbells
# that merged because nobody flushed them. It is recorded as a write a burst.


def cases(result):
    """{name: PCIe writes per packet}"""
    found = {}
    for case in result['cases']:
        for arm in 'uc', 'wc':
            bus = case.get(arm, {}).get('bus')
            if bus:
                name = '%s, frame %d, burst %d, queues %d, %s' % (
                    case['pmd'], case['frame_size'], case['burst'], case['queues'], arm)
                found[name] = max(bus['pcie_writes_per_packet'], 1 / case['burst'])
    return found


def recorded():
    with open(BASELINE, encoding='utf-8') as f:
        return json.load(f)


def main(paths):
    new = recorded()
    for path in paths:
        with open(path, encoding='utf-8') as f:
            new.update({name: round(value, 5) for name, value in cases(json.load(f)).items()})
    with open(BASELINE, 'w', encoding='utf-8') as f:
        json.dump(new, f, indent=2, sort_keys=True)
        f.write('\n')


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])

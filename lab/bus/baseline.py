#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""baseline.py check|update RESULT...: PCIe writes per packet, against what baseline.json records.

RESULT is a JSON of lab/run bench. check prints a line for each recorded case, as tests do, and
fails those that rose, or were not measured. update records what they have: on purpose only.
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


def main(verb, *paths):
    found = {}
    for path in paths:
        with open(path, encoding='utf-8') as f:
            found.update(cases(json.load(f)))
    with open(BASELINE, encoding='utf-8') as f:
        recorded = json.load(f)
    if verb == 'update':
        recorded.update({name: round(value, 5) for name, value in found.items()})
        with open(BASELINE, 'w', encoding='utf-8') as f:
            json.dump(recorded, f, indent=2, sort_keys=True)
            f.write('\n')
        return 0
    failed = 0
    for name, limit in sorted(recorded.items()):
        value = found.get(name)
        good = value is not None and value <= limit * TOLERANCE
        failed += not good
        print('%s writes per packet: %s%s' % (
            'ok' if good else 'not ok', name,
            '' if good else ' - not measured' if value is None else
            ' - %.5f, recorded are %.5f' % (value, limit)))
    return 1 if failed or not recorded else 0


if __name__ == '__main__':
    if len(sys.argv) < 3 or sys.argv[1] not in ('check', 'update'):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))

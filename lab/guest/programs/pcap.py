#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""pcap.py FILE: how many different frames a recording has, how often each, and their lengths."""

import collections
import struct
import sys

with open(sys.argv[1], 'rb') as f:
    data = f.read()
magic, major, minor, _, _, _, link = struct.unpack('=IHHIIII', data[:24])
assert (magic, major, minor, link) == (0xa1b23c4d, 2, 4, 1) # nanoseconds, Ethernet
at, frames = 24, collections.Counter()
while at < len(data):
    _, _, have, length = struct.unpack('=IIII', data[at:at + 16])
    assert have == length
    frames[data[at + 16:at + 16 + have]] += 1
    at += 16 + have
print(len(frames), set(frames.values()), min(map(len, frames)), max(map(len, frames)))

#!/usr/bin/python3 -IS
# SPDX-License-Identifier: BSD-3-Clause
"""endpoint.py FILE: what dpdk-telemetry-exporter.py would get from an endpoint file, of the DPDK
process that runs: "NAME DEVICE BAR OFFSET VALUE" a line. Debian has no exporter; what it asks of
such a file is said in DPDK's usertools/dpdk-telemetry-exporter.py."""

import importlib.util
import json
import socket
import sys


class Telemetry:
    def __init__(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(10)
        self.sock.connect('/var/run/dpdk/rte/dpdk_telemetry.v2')
        self.size = json.loads(self.sock.recv(1024))['max_output_len']

    def cmd(self, uri, arg=None):
        self.sock.send((uri if arg is None else '%s,%s' % (uri, arg)).encode())
        return json.loads(self.sock.recv(self.size))[uri]


spec = importlib.util.spec_from_file_location('vfio_wc', sys.argv[1])
endpoint = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True
spec.loader.exec_module(endpoint)
known = endpoint.info()
for name, value, labels in endpoint.metrics(Telemetry()):
    assert known[name][1] == 'gauge'
    print(name, labels['device'], labels['bar'], labels['offset'], value)

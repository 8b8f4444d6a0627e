#!/usr/bin/python3 -IS
# SPDX-License-Identifier: BSD-3-Clause
"""query.py EXPRESSION [COMMAND]: print what a Python expression says of a, a JSON text: the
standard input, or what a DPDK process answers to a telemetry command."""

import json
import socket
import sys


def telemetry(command):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.settimeout(10)
        sock.connect('/var/run/dpdk/rte/dpdk_telemetry.v2')
        sock.recv(1 << 16) # who it is
        sock.send(command.encode())
        return json.loads(sock.recv(1 << 16))[command.split(',')[0]]


answer = telemetry(sys.argv[2]) if len(sys.argv) > 2 else json.load(sys.stdin)
print(eval(sys.argv[1], {'a': answer}))

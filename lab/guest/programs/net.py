#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Traffic between 192.0.2.1 and 192.0.2.2, for the kernel's drivers:

net.py send N      N datagrams of 18 bytes, each a flow of its own, no faster than a queue takes
net.py ping        echo requests of 21 sizes, one at a time; prints how many were answered rightly
net.py listen      16 MB of TCP each way at once; print how many bytes came and the hashes of what
net.py connect     was sent and of what came (listen prints "listening" when it does)
"""

import hashlib
import os
import socket
import struct
import sys
import threading
import time

PEER = '192.0.2.2'
TCP_PORT, TCP_BYTES = 5001, 16 << 20
ECHO_REQUEST, ECHO_REPLY = 8, 0 # RFC 792
PATIENCE = 60


def send(count):
    for number in range(int(count)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b'%018d' % number, (PEER, 9))
        time.sleep(0.001)


def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def echo(sock, number, size):
    """Is a request answered rightly? It is repeated until it is answered at all."""
    payload = os.urandom(size)
    head = struct.pack('!HH', 77, number)
    request = struct.pack('!BBH', ECHO_REQUEST, 0, checksum(
        struct.pack('!BBH', ECHO_REQUEST, 0, 0) + head + payload)) + head + payload
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        sock.sendto(request, (PEER, 0))
        try:
            while True:
                answer = sock.recv(1 << 16)[20:]
                if answer[0] == ECHO_REPLY and answer[4:8] == head:
                    return answer[8:] == payload
        except TimeoutError:
            pass
    return False


def ping():
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.settimeout(5)
        print(sum(echo(sock, number, size)
                  for number, size in enumerate((8, 56, 100, 1000, 1472, 4000, 8972) * 3)))


def exchange(sock):
    sent, came, count = hashlib.sha256(), hashlib.sha256(), 0

    def give():
        for _ in range(TCP_BYTES >> 16):
            data = os.urandom(1 << 16)
            sent.update(data)
            sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
    thread = threading.Thread(target=give)
    thread.start()
    while data := sock.recv(1 << 16):
        came.update(data)
        count += len(data)
    thread.join()
    print(count, sent.hexdigest(), came.hexdigest())


def listen():
    with socket.create_server((PEER, TCP_PORT)) as server:
        print('listening', flush=True)
        with server.accept()[0] as sock:
            exchange(sock)


def connect():
    with socket.create_connection((PEER, TCP_PORT), timeout=PATIENCE) as sock:
        exchange(sock)


if __name__ == '__main__':
    {'send': send, 'ping': ping, 'listen': listen, 'connect': connect}[sys.argv[1]](*sys.argv[2:])

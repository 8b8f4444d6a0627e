# SPDX-License-Identifier: BSD-3-Clause
"""The frame counters (sink.c): what they say is what came, and not what anybody claims."""

import socket
import subprocess

import pytest

import build

TESTPMD = bytes(12) + b'\x08\x00\x45' + bytes(8) + b'\x11' + bytes(2) + \
    bytes([198, 18, 0, 1, 198, 18, 0, 2])
OTHERS = [b'', TESTPMD[:33], TESTPMD[:12] + b'\x86\xdd' + TESTPMD[14:],
          TESTPMD[:23] + b'\x06' + TESTPMD[24:], TESTPMD[:30] + bytes([198, 18, 0, 3])]


class Sink:
    def __init__(self, names):
        self.links = {name: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for name in names}
        args = [word for name, (_, theirs) in self.links.items()
                for word in (name, str(theirs.fileno()))]
        self.process = subprocess.Popen(
            [build.sink(), *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            bufsize=1, pass_fds=[theirs.fileno() for _, theirs in self.links.values()])
        assert self.process.stdout.readline() == 'ready\n'

    def ask(self, line):
        self.process.stdin.write(line + '\n')
        return self.process.stdout.readline().strip()

    def send(self, name, *frames):
        for frame in frames:
            self.links[name][0].send(frame)

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0
        self.process.stdout.close()
        for ends in self.links.values():
            for end in ends:
                end.close()


@pytest.fixture
def sink():
    made = Sink(['net0', 'net1'])
    yield made
    made.close()


def test_each_frame_is_counted_where_it_came(sink):
    assert sink.ask('count net0') == 'count 0 0 0'
    sent = 0
    for more in 1, 2, 100: # and a batch is 64
        sink.send('net0', *[TESTPMD + bytes(26)] * more)
        sent += more
        assert sink.ask('count net0') == 'count %d %d 0' % (sent, sent * 60)
    assert sink.ask('count net1') == 'count 0 0 0'


def test_what_testpmd_did_not_send_is_counted_apart(sink):
    sink.send('net1', TESTPMD, *OTHERS)
    assert sink.ask('count net1') == 'count 1 34 %d' % len(OTHERS)


def test_frames_are_sent_back_only_where_that_is_on(sink):
    ours = sink.links['net0'][0]
    ours.settimeout(5)
    assert sink.ask('reflect net0 on') == 'ok'
    sink.send('net0', TESTPMD)
    assert ours.recv(100) == TESTPMD
    assert sink.ask('reflect net0 off') == 'ok'
    sink.send('net0', TESTPMD)
    assert sink.ask('count net0') == 'count 2 68 0'
    ours.setblocking(False)
    with pytest.raises(BlockingIOError):
        ours.recv(100)


def test_nonsense_is_an_error(sink):
    for line in 'count net9', 'frobnicate net0', 'count', '':
        assert sink.ask(line).startswith('error ')

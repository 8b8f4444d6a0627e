#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""bar_map.py BDF BAR: map a BAR as stdin says, and keep CPU 1 busy meanwhile, for the witness.

    plain                    the whole BAR at the region's offset
    wc START LENGTH          a part of it, at a write-combined cookie
    touch VA LENGTH STRIDE   access it
    unmap VA LENGTH
    read START               4 bytes of the BAR through the file: the kernel maps what it reads
    memory off|on            the command register's memory space bit

Each command is answered by a line: the address, "ok", or the reason why not. Addresses are
congruent with offsets, as huge pages want it. Written apart from the kernel's selftest, from
doc/uapi.rst alone.
"""

import ctypes
import errno
import fcntl
import os
import select
import struct
import sys

SET_IOMMU, SET_CONTAINER, GET_DEVICE_FD = 0x3b66, 0x3b68, 0x3b6a
GET_REGION_INFO, DEVICE_FEATURE = 0x3b6c, 0x3b75
TYPE1V2, CONFIG, COMMAND, MEMORY = 3, 7, 4, 2
FEATURE_GET, COOKIE, WRITECOMBINE = 1 << 16, 0x5743, 1
PROT_RW, MAP_SHARED, MAP_RESERVE, MAP_FIXED, MADV_HUGEPAGE = 3, 1, 0x4022, 0x10, 14

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                      ctypes.c_int64]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def mmap(address, length, prot, flags, fd, offset):
    found = libc.mmap(address, length, prot, flags, fd, offset)
    if found == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), 'mmap: ' + os.strerror(ctypes.get_errno()))
    return found or 0


class Device:
    def __init__(self, bdf, bar):
        group = os.path.basename(os.readlink('/sys/bus/pci/devices/%s/iommu_group' % bdf))
        self.container = os.open('/dev/vfio/vfio', os.O_RDWR)
        self.group = os.open('/dev/vfio/' + group, os.O_RDWR)
        fcntl.ioctl(self.group, SET_CONTAINER, struct.pack('i', self.container))
        fcntl.ioctl(self.container, SET_IOMMU, TYPE1V2)
        self.fd = fcntl.ioctl(self.group, GET_DEVICE_FD, bytearray(bdf.encode() + b'\0'))
        self.bar = bar
        self.size, self.offset = self.region(bar)
        self.config = self.region(CONFIG)[1]

    def region(self, index):
        info = fcntl.ioctl(self.fd, GET_REGION_INFO, struct.pack('=IIIIQQ', 32, 0, index, 0, 0, 0))
        return struct.unpack('=IIIIQQ', info)[4:]

    def map(self, offset, length):
        align = 1 << 30 if length >= 1 << 30 else 2 << 20 if length >= 2 << 20 else 4096
        room = mmap(None, length + align, 0, MAP_RESERVE, -1, 0)
        where = room + (offset - room) % align
        mmap(where, length, PROT_RW, MAP_SHARED | MAP_FIXED, self.fd, offset)
        libc.madvise(where, length, MADV_HUGEPAGE)
        return '%#x' % where

    def cookie(self, start, length):
        request = struct.pack('=IIIIIIQQQ', 48, FEATURE_GET | COOKIE, self.bar, WRITECOMBINE, 0, 0,
                              start, length, 0)
        return struct.unpack('=Q', fcntl.ioctl(self.fd, DEVICE_FEATURE, request)[-8:])[0]

    def memory(self, on):
        command, = struct.unpack('=H', os.pread(self.fd, 2, self.config + COMMAND))
        command = command | MEMORY if on else command & ~MEMORY
        os.pwrite(self.fd, struct.pack('=H', command), self.config + COMMAND)

    def obey(self, verb, *args):
        numbers = [int(arg, 0) for arg in args if arg not in ('on', 'off')]
        if verb == 'plain':
            return self.map(self.offset, self.size)
        if verb == 'wc':
            return self.map(self.cookie(*numbers), numbers[1])
        if verb == 'touch':
            for va in range(numbers[0], numbers[0] + numbers[1], numbers[2]):
                ctypes.c_ubyte.from_address(va).value
        elif verb == 'unmap':
            libc.munmap(*numbers)
        elif verb == 'read':
            os.pread(self.fd, 4, self.offset + numbers[0])
        elif verb == 'memory':
            self.memory(args[0] == 'on')
        else:
            raise OSError(errno.EINVAL, 'no such command: ' + verb)
        return 'ok'


def main():
    os.sched_setaffinity(0, [1])
    device = Device(sys.argv[1], int(sys.argv[2]))
    while True:
        while not select.select([sys.stdin], [], [], 0)[0]:
            pass
        line = sys.stdin.readline()
        if not line:
            break
        try:
            print(device.obey(*line.split()), flush=True)
        except OSError as error:
            print('error %s' % error, flush=True)


main()

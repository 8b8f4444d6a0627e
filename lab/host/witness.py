# SPDX-License-Identifier: BSD-3-Clause
"""What the guest's page tables hold, read from outside the guest.

A test in the guest asks through a virtio-serial port (/dev/virtio-ports/wc.witness); the answer
comes from the guest's RAM, walked here from the CR3 that the virtual CPU has at that moment.
Nothing in it depends on the guest's kernel telling the truth, or on how it is configured.

    walk CPU VA LEN PA      leaves that cover [VA, VA + LEN)
    mmio CPU VA PA          every leaf of the user half whose physical address is outside RAM
    tlb CPU VA PA           what QEMU's own page walker ("info tlb") says about that page
    count NETDEV            frames that a back end received
    ENA COMMAND             a command for an ENA model, ena0 or ena1: see lab/ena/main.c
    pat                     the PAT configuration the kernel printed at boot
    bus start CPUS PA LEN... count what those CPUs (a mask) ask of the bus with accesses to these
                            physical ranges, from zero; needs the plugin (../bus/plugin.c)
    bus stop                stop, and say what was counted
    bus pace PS UC WC       what an instruction takes, and writes cost, from then on
    reflect NETDEV on|off   send each frame back, as a loop in the cable would

Answers: "leaf VA PA PTE SIZE TYPE" lines and "end N"; "tlb VA PA FLAGS"; "count FRAMES BYTES
OTHER"; "pat TYPE..."; "bus NAME VALUE" and "bus site ..." lines and "end N"; "ok". Failures:
"error TEXT".

The anchor: VA must translate to PA, which the asker knows. That proves that the CPU is running the
process in question, not the one that happened to be scheduled. The asker keeps it there (by
spinning); the witness retries for two seconds.
"""

import mmap
import re
import socket
import threading
import time

PRESENT, PWT, PCD, PS, PAT_4K, PAT_LARGE = 1, 1 << 3, 1 << 4, 1 << 7, 1 << 7, 1 << 12
ADDRESS = 0x000ffffffffff000
CR4_LA57 = 1 << 12
ANCHOR_SECONDS = 2

# The order in which PAT entries are numbered: bit 2 PAT, bit 1 PCD, bit 0 PWT (Intel SDM volume 3,
# "Selecting a Memory Type from the PAT"; AMD APM volume 2, "PAT Indexing").
PAT_LINE = re.compile(r'x86/PAT: Configuration \[0-7\]: ((?:[A-Z]+-?\s*){8})')


class Error(Exception):
    pass


class Leaf:
    def __init__(self, va, pa, pte, size):
        self.va, self.pa, self.pte, self.size = va, pa, pte, size

    def pat_index(self):
        pat = PAT_4K if self.size == 4096 else PAT_LARGE
        return (bool(self.pte & pat) << 2) | (bool(self.pte & PCD) << 1) | bool(self.pte & PWT)


class PageTables:
    """One address space. read64(physical address) gives eight bytes of RAM, or None outside it."""

    def __init__(self, read64, cr3, levels):
        self.read64, self.root, self.levels = read64, cr3 & ADDRESS, levels
        self.user_half = 1 << (12 + 9 * levels - 1)

    @staticmethod
    def address(entry):
        return entry & ADDRESS

    @staticmethod
    def is_large(entry):
        return entry & PS

    def leaves(self, start, end):
        """The leaves that map some of [start, end), in order."""
        return self._level(self.root, self.levels, 0, start, end)

    def _level(self, table, level, base, start, end):
        shift = 12 + 9 * (level - 1)
        size = 1 << shift
        first = max(0, (start - base) >> shift)
        last = min(511, (end - 1 - base) >> shift)
        for index in range(first, last + 1):
            entry = self.read64(table + 8 * index)
            if entry is None or not entry & PRESENT:
                continue
            va = base + (index << shift)
            if level == 1 or (level <= 3 and self.is_large(entry)):
                # Below a large page's address lie its PAT bit and reserved ones.
                yield Leaf(va, self.address(entry) & ~(size - 1), entry, size)
            else:
                yield from self._level(self.address(entry), level - 1, va, start, end)

    def translate(self, va):
        for leaf in self.leaves(va, va + 1):
            return leaf.pa + (va - leaf.va)
        return None


def pat_types(log):
    """The eight memory types by PAT index, as the kernel printed them."""
    match = PAT_LINE.search(log)
    if not match:
        raise Error('the kernel printed no PAT configuration')
    return match.group(1).split()


class Witness(threading.Thread):
    RAM_BASE = 0 # the guest-physical address of its RAM

    def __init__(self, guest):
        super().__init__(daemon=True)
        self.guest = guest
        self.sink_lock = threading.Lock()
        with open(guest.dir + '/ram', 'rb') as f:
            self.ram = mmap.mmap(f.fileno(), guest.ram, prot=mmap.PROT_READ)
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(guest.dir + '/witness')
        self.plugin = None

    def run(self):
        with self.sock.makefile('rw', encoding='ascii', errors='replace', newline='\n') as port:
            try:
                for line in port:
                    port.write(self.answer(line.split()) + '\n')
                    port.flush()
            except (OSError, ValueError):
                pass # the guest is gone

    def answer(self, words):
        try:
            verb, args = words[0], words[1:]
            if verb == 'walk':
                cpu, va, length, pa = (int(word, 0) for word in args)
                return self.report(self.address_space(cpu, va, pa).leaves(va, va + length))
            if verb == 'mmio':
                cpu, va, pa = (int(word, 0) for word in args)
                tables = self.address_space(cpu, va, pa)
                return self.report(leaf for leaf in tables.leaves(0, tables.user_half)
                                   if not 0 <= leaf.pa - self.RAM_BASE < self.guest.ram)
            if verb == 'tlb':
                cpu, va, pa = (int(word, 0) for word in args)
                return self.qemu_tlb(cpu, va, pa)
            if verb == 'pat':
                return 'pat ' + ' '.join(self.pat())
            if verb in self.guest.enas or args and args[0] in self.guest.enas:
                return self.ask_ena(*([verb, *args] if verb in self.guest.enas else
                                      [args[0], verb, *args[1:]]))
            if verb == 'bus':
                return self.bus(args)
            if verb in ('count', 'reflect'):
                return self.ask_sink(' '.join(words))
            return 'error no such request: ' + verb
        except Error as error:
            return 'error %s' % error
        except (ValueError, IndexError):
            return 'error cannot understand: ' + ' '.join(words)
        except Exception as error: # QEMU or the sink is gone: the asker should hear why
            return 'error %s: %s' % (type(error).__name__, str(error).replace('\n', ' '))

    def read64(self, pa):
        pa -= self.RAM_BASE
        if not 0 <= pa <= self.guest.ram - 8:
            return None
        return int.from_bytes(self.ram[pa:pa + 8], 'little')

    def pat(self):
        with open(self.guest.dir + '/share/dmesg', errors='replace') as f:
            return pat_types(f.read())

    def registers(self, cpu):
        text = self.guest.qmp.monitor('info registers', cpu)
        return {name: int(value, 16)
                for name, value in re.findall(r'\b(CR[034]|EFER)=([0-9a-f]+)', text)}

    def tables(self, cpu):
        regs = self.registers(cpu)
        return PageTables(self.read64, regs['CR3'], 5 if regs['CR4'] & CR4_LA57 else 4)

    def address_space(self, cpu, va, pa):
        deadline = time.monotonic() + ANCHOR_SECONDS
        found = None
        while True:
            tables = self.tables(cpu)
            found = tables.translate(va)
            if found == pa:
                return tables
            if time.monotonic() > deadline:
                raise Error('anchor: on CPU %d %#x is %s, not %#x' % (
                    cpu, va, 'unmapped' if found is None else '%#x' % found, pa))
            time.sleep(0.005)

    def types(self):
        """A function that gives a leaf's type."""
        pat = self.pat()
        return lambda leaf: pat[leaf.pat_index()]

    def report(self, leaves):
        type_of = self.types()
        lines = ['leaf %#x %#x %#x %#x %s' % (leaf.va, leaf.pa, leaf.pte, leaf.size, type_of(leaf))
                 for leaf in leaves]
        return '\n'.join(lines + ['end %d' % len(lines)])

    def qemu_tlb(self, cpu, va, pa):
        page = '%016x: %016x ' % (va & ~0xfff, pa & ~0xfff)
        deadline = time.monotonic() + 5 * ANCHOR_SECONDS
        while time.monotonic() < deadline:
            for line in self.guest.qmp.monitor('info tlb', cpu).splitlines():
                if line.startswith(page):
                    return 'tlb %#x %#x %s' % (va & ~0xfff, pa & ~0xfff, line[len(page):].strip())
        raise Error('info tlb never showed %s' % page)

    def ask_ena(self, name, *words):
        with self.sink_lock:
            model = self.guest.enas[name]
            model.stdin.write(' '.join(words) + '\n')
            model.stdin.flush()
            return model.stdout.readline().strip() or 'error the model is gone'

    def bus(self, args):
        if not self.guest.plugin:
            raise Error('this guest runs without bus counts')
        if self.plugin is None:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(self.guest.dir + '/bus')
            self.plugin = sock.makefile('rw', encoding='ascii', newline='\n')
            self.ask_plugin('pat ' + ' '.join(self.pat()))
        lines = self.ask_plugin(' '.join(args))
        return '\n'.join(['bus ' + line for line in lines] + ['end %d' % len(lines)])

    def ask_plugin(self, request):
        self.plugin.write(request + '\n')
        self.plugin.flush()
        lines = []
        for line in self.plugin:
            line = line.strip()
            if line == 'end':
                return lines
            if line.startswith('error '):
                raise Error(line[len('error '):])
            lines.append(line)
        raise Error('the plugin is gone')

    def ask_sink(self, line):
        with self.sink_lock:
            self.guest.sink.stdin.write(line + '\n')
            self.guest.sink.stdin.flush()
            return self.guest.sink.stdout.readline().strip() or 'error the sink is gone'

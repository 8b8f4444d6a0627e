# SPDX-License-Identifier: BSD-3-Clause
"""The commands of doc/start.rst, doc/machine.rst and README.md that can be run in the guest, as
they stand there, and what these pages say that they print; [...] is whatever is there."""

import re

ASKS = {}
DOC = '/src/doc/'


def commands(page):
    """(command, what it prints) of the lines that begin with a prompt."""
    with open(DOC + page, encoding='utf-8') as f:
        for block in re.findall(r'^\.\. code-block:: console\n\n((?:   .*\n|\n)+)', f.read(), re.M):
            for text in re.split(r'^   # ', block, flags=re.M)[1:]:
                command, more = re.match(r'((?:.*\\\n)*.*)\n((?:.*\n?)*)', text).groups()
                yield command, re.sub('^   ', '', more, flags=re.M).rstrip('\n')


def prints(printed):
    return r'.*?'.join(map(re.escape, printed.split('[...]')))


def check(guest, command, printed):
    status, said = guest.sh(command, 120)
    assert re.fullmatch(prints(printed), said.rstrip('\n'), re.S), \
        '%s (status %d) prints\n%s\nnot\n%s' % (command, status, said, printed)


def test_start(guest):
    """One command after the other, but for those of the host. Who is sent to the background is
    waited for, not slept for."""
    found = [pair for pair in commands('start.rst') if not pair[0].startswith('./lab/run')]
    assert [command.split()[0] for command, _ in found] == [
        'lab-bind', 'dpdk-wc-info', 'echo', 'sleep', 'sleep']
    for command, printed in found[:3]:
        check(guest, command, printed)
    (start, _), (look, printed) = found[3:]
    status, said = guest.sh('''
        . /src/lab/tests/lib.sh
        cd /tmp
        %s
        await 60 sh -c "dpdk-wc-info 0000:00:07.0 | grep -q 'WC is on'"
        %s
        kill %%%%; wait
        ''' % (start.replace('sleep 30', 'sleep 300'), look.replace('sleep 10; ', '')))
    assert start.endswith('&') and re.fullmatch(prints(printed), said.rstrip('\n'), re.S), said


def test_machine(guest):
    """Those that look at what is there."""
    found = dict(commands('machine.rst'))
    for driver, command in (('none', 'dpdk-wc-info'),
                            ('none', 'kernel-patch/vfio-wc-modules status'),
                            ('vfio-pci', 'dpdk-wc-info --open 0000:00:07.0'),
                            ('vfio-pci', 'dpdk-test-wc-perf --check --device 0000:00:07.0')):
        guest.sh('for device in %s; do lab-bind -d none $device; done; lab-bind -d %s ena' %
                 (guest.bound, driver))
        check(guest, 'cd /src; ' + command, found[command])


def test_readme(guest):
    """All of "Look, run, compare" but the run that takes minutes and what comes after it. Nobody
    types at a prompt."""
    with open('/src/README.md', encoding='utf-8') as f:
        block = re.search(r'^3\. Look, run, compare.*?\n\n((?:       .*\n)+)', f.read(), re.M)[1]
    found = re.findall(r'^       (\S(?:.*\\\n)*.*)$', block, re.M)
    assert [re.match(r'\S+', command)[0] for command in found[:4]] == [
        'dpdk-wc-info', 'dpdk-testpmd', 'vfio-wc-run', 'dpdk-test-wc-perf']
    guest.sh('''for device in %s; do lab-bind -d none $device; done; lab-bind virtio
        mkdir -p /usr/local/lib/x86_64-linux-gnu
        ln -sfn /opt/dpdk-vfio-wc/lib/dpdk /usr/local/lib/x86_64-linux-gnu/dpdk''' % guest.bound)
    for command in found[:4]:
        status, said = guest.sh('cd /tmp; exec </dev/null; ' + command)
        assert status == 0, '%s\n%s' % (command, said)
    guest.sh('rm /usr/local/lib/x86_64-linux-gnu/dpdk')

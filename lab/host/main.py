#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The part of lab/run that runs inside the root file system (see lab/run, lab/host/enter)."""

import argparse
import glob
import itertools
import json
import os
import re
import shlex
import signal
import subprocess
import sys

import build
import model
import packages
import runner
from guest import Guest, LabError, say


RESULTS = '/results'
RESULT = RESULTS + '/bench.json'
WC_RESULTS = '/src/app/wc-results/dpdk-wc-results'
MODULES = ['stock', 'patched', *build.CONFIG, 'trap', *build.DEBUG]


def guest_options(parser):
    parser.add_argument('--kernel', default=build.DEFAULT_KERNEL)
    parser.add_argument('--modules', default='patched', choices=MODULES)
    parser.add_argument('--append', default='')
    parser.add_argument('--accel', default='auto', choices=['auto', 'kvm', 'tcg', 'icount'])
    parser.add_argument('--timeout', type=float, default=600)
    parser.add_argument('--no-build', action='store_true')
    parser.add_argument('--verbose', action='store_true')
    parser.add_argument('--bus', action='store_true')


def start_guest(args, suite='trixie', tty=False, **more):
    """A guest as the options say, booted; its userland is that of a suite."""
    install = build.install(not args.no_build, suite, kernel_name=args.kernel)
    if args.bus:
        more['plugin'], problem = build.bus_plugin()
        if problem:
            say('no bus counts: ' + problem)
        else:
            args.accel = 'tcg' # the plugin sees what is emulated
    guest = Guest(**build.machine(args.accel, args.modules, args.kernel),
                  modules=build.modules(args.modules, args.kernel), install=install,
                  append=args.append, devices=getattr(args, 'devices', ()), tty=tty,
                  userland=build.suite_root(suite) or None, **more)
    try:
        guest.wait_ready()
        say('the guest is up after %.1f s (%s, vfio modules: %s)' %
            (guest.boot_seconds, guest.version, args.modules))
    except BaseException:
        guest.close()
        raise
    return guest


def write(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def finish(guest, status):
    """A complaint of the kernel's fails the run, whatever the command says."""
    splats = guest.splats()
    if splats:
        print('\n'.join(['lab: the guest kernel complained:', *splats]), file=sys.stderr)
        status = status or 1
    return status


def do_exec(argv):
    parser = argparse.ArgumentParser(prog='lab/run exec', add_help=False)
    guest_options(parser)
    parser.add_argument('--device', dest='devices', action='append', default=[])
    parser.add_argument('command', nargs=argparse.REMAINDER)
    args = parser.parse_args(argv)
    command = args.command[1:] if args.command[:1] == ['--'] else args.command
    if not command:
        parser.error('no command; lab/run exec --help')
    with start_guest(args) as guest:
        status = guest.run(shlex.join(command) + '\n', write, args.timeout)
        if args.verbose:
            print(guest.console_tail(1000), file=sys.stderr)
        return finish(guest, status)


def do_shell(argv):
    parser = argparse.ArgumentParser(prog='lab/run shell', add_help=False)
    guest_options(parser)
    parser.add_argument('--device', dest='devices', action='append', default=[])
    args = parser.parse_args(argv)
    if not sys.stdin.isatty():
        raise LabError('shell needs a terminal; use exec')
    import termios
    import tty
    size, saved = os.get_terminal_size(), termios.tcgetattr(0)
    guest = start_guest(args, tty=True)
    try:
        tty.setraw(0)
        return guest.run('stty rows %d cols %d; export TERM=%s\ncat /src/lab/guest/motd\n'
                         'exec bash -i\n' % (size.lines, size.columns,
                                             shlex.quote(os.environ.get('TERM', 'dumb'))),
                         write, 1e9, tty=True)
    finally:
        guest.close()
        termios.tcsetattr(0, termios.TCSADRAIN, saved)


def do_bench(argv):
    parser = argparse.ArgumentParser(prog='lab/run bench', add_help=False,
                                     conflict_handler='resolve')
    guest_options(parser)
    parser.add_argument('--kernel', dest='kernels', action='append')
    parser.add_argument('--dpdk', dest='releases', action='append', choices=build.releases())
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--no-bus', action='store_true')
    parser.add_argument('--device', dest='name',
                        choices=['ena', 'virtio', 'vmxnet3', 'igbvf', 'all'])
    parser.add_argument('--emulate', choices=['0', *model.profiles()])
    parser.add_argument('--report', action='store_true')
    parser.add_argument('rest', nargs='*')
    args = parser.parse_args(argv)
    if args.emulate and (args.no_bus or args.accel == 'kvm'):
        raise LabError('--emulate %s: what holds the processor is what counts; not with --no-bus '
                       'or --accel kvm' % args.emulate)
    args.bus = args.accel != 'kvm' and not args.no_bus
    runs = list(itertools.product(args.kernels or [build.DEFAULT_KERNEL],
                                  args.releases or [build.DEFAULT_DPDK]))
    worst = 0
    for args.kernel, release in runs:
        if len(runs) > 1:
            say('kernel %s, DPDK %s' % (args.kernel, release))
        worst = bench(args, release) or worst
        if len(runs) > 1 and os.path.exists(RESULT):
            os.rename(RESULT, RESULT.replace('.json', '-%s-%s.json' % (args.kernel, release)))
    files = sorted(glob.glob(RESULT.replace('.json', '*.json')))
    if files and len(runs) > 1:
        print()
        sys.stdout.flush()
        subprocess.run([WC_RESULTS, 'matrix', *files], check=True)
    if files and args.report:
        charts = os.environ.get('LAB_CHARTS')
        subprocess.run([WC_RESULTS, 'report', '-o', RESULTS + '/report.html',
                        *(['--charts', charts] if charts else []), *files], check=True)
    return worst


def bench(args, release):
    """One run, under one kernel and with one DPDK."""
    command = ['/src/lab/guest/bench.sh']
    command += ['--quick'] if args.quick else []
    command += ['--device', args.name] if args.name else []
    command += ['--wc-by-kernel'] if args.modules == 'trap' else []
    command += ['--emulated'] if args.emulate else []
    with start_guest(args, build.releases()[release]) as guest:
        if args.emulate:
            guest.witness.bus(model.pace(model.emulation(args.emulate)))
        status = guest.run(shlex.join([*command, '--', *args.rest]) + '\n', write, args.timeout)
        status = finish(guest, status)
    complete(RESULT, args.accel, args.emulate)
    return status


def surroundings(accelerator):
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        cpu = re.search('^model name\\s*: (.*)', f.read(), re.M)
    qemu = subprocess.run(['qemu-system-x86_64', '--version'], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    return {'qemu': qemu.partition('\n')[0].removeprefix('QEMU emulator version '),
            'host_cpu': cpu[1] if cpu else 'unknown', 'host_kernel': os.uname().release,
            'accelerator': accelerator}


def complete(path, accelerator, emulate=None):
    """Add what the guest cannot know to a result: the machine around it, and, where there are bus
    counts, modelled rates, and what an emulated ratio must be. These are printed."""
    if not os.path.exists(path):
        return
    with open(path, encoding='utf-8') as f:
        result = json.load(f)
    result['environment']['lab'] = surroundings(accelerator)
    if emulate:
        result['environment']['lab']['emulated'] = emulate
        model.add_known(result)
        print('\n' + '\n'.join(model.known_table(result)))
    if model.add(result, build.local_costs()):
        print('\n' + '\n'.join(model.table(result)))
    with open(path, 'w', encoding='utf-8') as f:
        json.dump(result, f, indent=2)
        f.write('\n')


def do_prepare(argv):
    parser = argparse.ArgumentParser(prog='lab/run prepare', add_help=False)
    parser.add_argument('--kernel', default=build.DEFAULT_KERNEL)
    parser.add_argument('--modules', choices=MODULES)
    args = parser.parse_args(argv)
    wanted = [args.modules or 'patched']
    if not args.modules and args.kernel == build.DEFAULT_KERNEL:
        wanted.append('trap')
    for modules in wanted:
        build.machine('auto', modules, args.kernel)
        build.modules(modules, args.kernel)
    build.install(kernel_name=args.kernel)
    return 0


def stop(*_):
    """As if by ^C, which pytest takes for the end of the run, not of a test."""
    raise KeyboardInterrupt(143)


def main():
    signal.signal(signal.SIGTERM, stop)
    verbs = {'exec': do_exec, 'shell': do_shell, 'prepare': do_prepare,
             'package': packages.do_package,
             'test': runner.do_test, 'bench': do_bench}
    try:
        return verbs[sys.argv[1]](sys.argv[2:])
    except LabError as error:
        print('lab/run: %s' % error, file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:
        return interrupt.args[0] if interrupt.args else 130


if __name__ == '__main__':
    sys.exit(main())

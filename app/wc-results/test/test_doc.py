# SPDX-License-Identifier: BSD-3-Clause
"""The commands of doc/results.rst, as they stand there, and what it says that they print."""

import json
import os
import re
import subprocess

import numpy
from common import TOOL, metric, result
from wc_results import export

STAGE = 'test'
DOC = os.path.dirname(os.path.realpath(__file__)) + '/../../../doc/results.rst'


def commands():
    """(command, what it prints) of the lines that begin with a dollar."""
    found = []
    with open(DOC, encoding='utf-8') as f:
        for line in f:
            if line.startswith('    $ '):
                found.append([line[6:].rstrip('\n'), ''])
            elif found and line.startswith('    ') and found[-1] is not None:
                found[-1][1] += line[4:]
            elif found and line.strip():
                found.append(None)
            elif found and found[-1]:
                found[-1][1] += '\n'
    return [pair for pair in found if pair]


def run_of(day, writes=2.04, **environment):
    ratios = 2.0 + numpy.arange(8) / 1000
    found = result([metric('uc', 'tx_rate', 1e6 * ratios), metric('wc', 'tx_rate', 2e6 * ratios),
                    metric('uc', 'pcie_writes', [16.03] * 8),
                    metric('wc', 'pcie_writes', [writes] * 8), metric('wc/uc', values=ratios),
                    metric('uc/plain', values=ratios, usable=False, reasons=['a reason'])],
                   **environment)
    found['started'] = '2026-11-2%dT01:00:00Z' % day
    return found


def test_all_of_them(tmp_path):
    for name, content in (('old', run_of(1)), ('new', run_of(2, 2.142)),
                          ('new-kernel', run_of(2, kernel='6.13'))):
        (tmp_path / (name + '.json')).write_text(json.dumps(content))
    path = '%s:%s' % (os.path.dirname(TOOL), os.environ['PATH'])
    found = commands()
    assert len(found) >= 18
    for command, printed in found:
        done = subprocess.run(['bash', '-c', command], cwd=tmp_path, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env={**os.environ, 'PATH': path},
                              check=False)
        allowed = (0, 1) if 'compare' in command else (0,)
        assert done.returncode in allowed, '%s\n%s' % (command, done.stdout)
        wanted = r'.*?'.join(map(re.escape, printed.rstrip('\n').split('[...]')))
        assert re.fullmatch(wanted, done.stdout.rstrip('\n'), re.S), \
            '%s prints\n%s\nnot\n%s' % (command, done.stdout, printed)


def test_formats_of_the_tool_are_in_it():
    with open(DOC, encoding='utf-8') as f:
        text = f.read()
    assert [name for name in export.FORMATS if '``%s``' % name not in text] == []

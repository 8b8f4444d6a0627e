# SPDX-License-Identifier: BSD-3-Clause
"""The report as a file; test_browser.py has it drawn."""

import html.parser
import json
import re
import subprocess

import pytest
from common import TOOL, metric, result


def history():
    """Two runs of two frame sizes, with all kinds of metrics."""
    for day in 1, 2:
        found = []
        for frame in 64, 1514:
            found += [
                metric('uc', 'tx_rate', [1e6 + n * day for n in range(6)], frame),
                metric('wc', 'tx_rate', [2e6 + n * day for n in range(6)], frame),
                metric('uc', 'pcie_writes', [16.03] * 6, frame),
                metric('wc', 'pcie_writes', [2.04] * 6, frame),
                metric('wc/uc', 'tx_rate', [2.0] * 6, frame),
                metric('uc/plain', 'tx_rate', [0.999] * 6, frame, usable=False,
                       reasons=['<script>alert("a reason")</script>']),
                metric('wc', 'tx_rate', [5e6], frame, kind='modelled', profile='aws-f1',
                       id='net_ena/frame%d/wc/tx_rate/aws-f1' % frame)]
        one = result(found)
        one['started'] = '2026-11-2%dT01:00:00Z' % day
        yield one


def test_several_kernels_are_side_by_side(tmp_path):
    files = []
    for kernel, writes in ('6.1', 3.0), ('6.12', 2.0):
        files.append(tmp_path / kernel)
        files[-1].write_text(json.dumps(result([
            metric('uc', 'pcie_writes', [16.0] * 6), metric('wc', 'pcie_writes', [writes] * 6),
            metric()], kernel=kernel, lab={'emulated': 'aws-f1', 'qemu': '', 'host_cpu': '',
                                           'host_kernel': ''})))
    out = tmp_path / 'report.html'
    subprocess.run([TOOL, 'report', '-o', out, '--charts', '/nowhere', *files], check=True)
    page = out.read_text()
    assert '<td>6.1, <em>emulated</em>\naws-f1</td>' in page
    assert '16 -&gt; 3</td>' in page and '16 -&gt; 2</td>' in page
    subprocess.run([TOOL, 'report', '-o', out, '--charts', '/nowhere', files[0]], check=True)
    assert 'id="matrix"' not in out.read_text()


@pytest.fixture(name='page')
def pages(tmp_path):
    def make(charts=None):
        files = []
        for number, one in enumerate(history()):
            files.append(tmp_path / ('%d.json' % number))
            files[-1].write_text(json.dumps(one))
        out = tmp_path / 'report.html'
        subprocess.run([TOOL, 'report', '-o', out, '--charts', charts or '/nowhere', *files],
                       check=True)
        return out
    return make


class Reader(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.cells, self.names = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        if tag == 'td':
            self.cells.append('')

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data


def test_without_charts_there_is_a_table_and_that_is_said(page):
    text = page().read_text()
    read = Reader(text)
    cells = [' '.join(cell.split()) for cell in read.cells]
    assert 'script' not in read.tags and 'There are no charts here' in text
    row = cells.index('pcie_writes, writes per packet')
    assert cells[row - 1:row + 6] == ['uc', 'pcie_writes, writes per packet', '16.03',
                                      '16.03..16.03', '6', 'counted', 'yes']
    assert cells.count('modelled') == 2
    assert '2026-11-21T01:00:00Z' in cells # the run before
    assert re.search('no: &lt;script&gt;', text)


def test_nothing_is_looked_for_elsewhere(page, tmp_path):
    (tmp_path / 'charts.js').write_text('var vega, vegaLite;')
    text = page(tmp_path / 'charts.js').read_text()
    read = Reader(text)
    assert not read.names & {'src', 'href', 'action', 'data'}
    assert "default-src 'none'" in text and 'url(' not in text and '@import' not in text
    assert read.tags.count('figure') == 7 and '<script>alert' not in text


def test_what_may_not_be_used_is_not_drawn(page, tmp_path):
    (tmp_path / 'charts.js').write_text('var vega, vegaLite;')
    text = page(tmp_path / 'charts.js').read_text()
    plots = json.loads(re.search('const plots = (.*);', text)[1])
    ratios, = [plot for plot in plots if plot['id'] == 'ratios']
    assert {row['arm'] for row in ratios['spec']['data']['values']} == {'wc/uc'}
    rates, = [plot for plot in plots if plot['id'] == 'rates']
    assert {row['kind'] for row in rates['spec']['data']['values']} == {'measured'}

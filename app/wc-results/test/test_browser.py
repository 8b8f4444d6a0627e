# SPDX-License-Identifier: BSD-3-Clause
"""The report in a browser: drawn, in light and dark, on paper, with nothing on the console."""

import os
import re
import shutil
import subprocess

import pytest
from test_report import pages # noqa: F401

STAGE = 'long'
BROWSER = shutil.which('chromium-headless-shell') or shutil.which('chromium')
CHARTS = os.environ.get('LAB_CHARTS') or ''


@pytest.fixture(name='drawn')
def drawings(page, tmp_path):
    if not os.path.exists(CHARTS):
        pytest.skip('nothing to draw with: no npm where lab/run was called')

    def look(*options):
        path = page(CHARTS)
        done = subprocess.run(
            [BROWSER, '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars',
             '--disable-background-networking', '--user-data-dir=%s/profile' % tmp_path,
             '--window-size=1000,3000', '--virtual-time-budget=60000', '--enable-logging=stderr',
             *options, 'file://%s' % path],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, check=True)
        assert [line for line in done.stderr.splitlines() if 'CONSOLE' in line] == []
        return done.stdout
    return look


def figures(dom):
    """{id of a figure: the SVG in it}"""
    return {name: svg for name, svg in re.findall(
        r'<figure id="([^"]*)".*?>(.*?)</figure>', dom, re.S) if '<svg' in svg}


def test_all_is_drawn_and_the_console_is_silent(drawn):
    found = figures(drawn('--dump-dom'))
    assert sorted(found) == ['history-rates', 'history-ratios', 'history-writes', 'modelled',
                             'rates', 'ratios', 'writes']
    # a bar for each arm and frame size, and what it stands for
    assert found['writes'].count('aria-roledescription="bar"') == 4
    assert {'16.03', '2.04'} <= set(re.findall('>([0-9.]+)</text>', found['writes']))
    assert found['rates'].count('aria-roledescription="rule mark"') == 4


def test_light_and_dark(drawn):
    light, dark = (figures(drawn('--dump-dom', '--blink-settings=preferredColorScheme=%d' % scheme))
                   ['rates'] for scheme in (1, 0))
    assert 'fill="#1a1a1a"' in light and 'fill="#e6e6e6"' not in light
    assert 'fill="#e6e6e6"' in dark and 'fill="#1a1a1a"' not in dark


@pytest.mark.parametrize('how, name, head', [
    ('screenshot', 'report.png', b'\x89PNG'), ('print-to-pdf', 'report.pdf', b'%PDF')])
def test_seen_and_printed(drawn, tmp_path, how, name, head):
    """For the eye: /results of the run has them, where it fails."""
    out = tmp_path / name
    drawn('--%s=%s' % (how, out))
    data = out.read_bytes()
    assert data.startswith(head) and len(data) > 20000
    if os.path.isdir('/results'):
        shutil.copy(out, '/results')

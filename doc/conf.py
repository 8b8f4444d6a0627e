# SPDX-License-Identifier: BSD-3-Clause
"""sphinx-build -W -n doc build/doc; lab/host/test_lint.py does that, too."""

import pathlib
import re

project = 'dpdk-vfio-wc'
meson_build = pathlib.Path(__file__).parent.parent / 'meson.build'
version = release = re.search(r"version: '([0-9.]+)'", meson_build.read_text('utf-8'))[1]
highlight_language = 'none'
html_theme = 'alabaster'
html_theme_options = {'page_width': '72em', 'body_max_width': 'none'}
html_show_copyright = False

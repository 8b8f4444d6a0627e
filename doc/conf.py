# SPDX-License-Identifier: BSD-3-Clause
"""sphinx-build -W -n doc build/doc; lab/host/test_lint.py does that, too."""

import pathlib

project = 'dpdk-vfio-wc'
root = pathlib.Path(__file__).parent.parent
version = release = (root / 'kernel-patch/version').read_text('utf-8').strip() # as meson.build
highlight_language = 'none'
html_theme = 'alabaster'
html_theme_options = {'page_width': '72em', 'body_max_width': 'none'}
html_show_copyright = False

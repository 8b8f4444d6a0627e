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
man_make_section_directory = False
man_pages = [
    ('man/vfio-wc-run.1', 'vfio-wc-run', 'run a program with write-combining VFIO mappings', '', 1),
    ('man/vfio-wc.conf.5', 'vfio-wc.conf', 'which BAR ranges have which memory type', '', 5),
]

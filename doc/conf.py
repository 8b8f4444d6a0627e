# SPDX-License-Identifier: BSD-3-Clause
"""sphinx-build -W -n doc build/doc; lab/host/test_lint.py does that, too. -t man: the manual pages
alone."""

import pathlib

project = 'dpdk-vfio-wc'
root = pathlib.Path(__file__).parent.parent
version = release = (root / 'kernel-patch/version').read_text('utf-8').strip() # as meson.build
highlight_language = 'none'
html_theme = 'alabaster'
html_theme_options = {'page_width': '72em', 'body_max_width': 'none'}
html_show_copyright = False
man_make_section_directory = False
man_pages = [('man/%s.%d' % (name, section), name, what, '', section) for name, section, what in (
    ('dpdk-test-wc-perf', 1, 'compare uncached with write-combining mappings of a NIC'),
    ('dpdk-wc-info', 1, 'say which BARs are write-combining, and why not'),
    ('dpdk-wc-results', 1, 'compare, show, keep and export results of dpdk-test-wc-perf'),
    ('vfio-wc-modules', 8, 'install vfio modules that can map BARs write-combining'),
    ('vfio-wc-run', 1, 'run a program with write-combining VFIO mappings'),
    ('vfio-wc.conf', 5, 'which BAR ranges have which memory type'),
)]
if tags.has('man'): # noqa: F821: Sphinx's
    root_doc = 'man/vfio-wc-run.1'
    include_patterns = ['man/*']

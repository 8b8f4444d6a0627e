# SPDX-License-Identifier: BSD-3-Clause
"""The site: sphinx-build -W -n doc build/doc (Debian: furo, python3-breathe, doxygen), as
lab/host/test_lint.py does. With -t man, as doc/meson.build has it: the manual pages, which need
Sphinx alone."""

import logging
import pathlib
import warnings

from docutils import nodes
from docutils.parsers.rst import roles

project = 'dpdk-vfio-wc'
root = pathlib.Path(__file__).parent.parent
version = release = (root / 'kernel-patch/version').read_text('utf-8').strip() # as meson.build
highlight_language = 'none'
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
# The id of a test, as lab/run test --list has it; lab/host/test_doc.py says what else can be named.
roles.register_generic_role('test', nodes.literal)

if tags.has('man'): # noqa: F821: Sphinx's
    root_doc = 'man/vfio-wc-run.1'
    include_patterns = ['man/*']
else:
    extensions = ['breathe']
    warnings.filterwarnings('ignore', module='breathe') # paths as strings
    html_theme = 'furo'
    html_title = '%s %s' % (project, version)
    html_static_path = ['static']
    html_css_files = ['site.css']
    html_js_files = ['site.js']
    # C lets a struct and a function have the same name, Sphinx does not.
    logging.getLogger('sphinx.sphinx.domains.c').addFilter(
        lambda record: "c:struct:: rte_vfio_wc_bar_info'" not in record.getMessage())
    breathe_default_project = 'lib'
    breathe_projects_source = {'lib': (str(root / 'lib/vfio_wc'), ['rte_vfio_wc.h'])}
    breathe_show_include = False
    breathe_domain_by_extension = {'h': 'c'}
    nitpick_ignore = [('c:identifier', name) for name in ('uint32_t', 'uint64_t')]
    breathe_doxygen_config_options = {
        'OPTIMIZE_OUTPUT_FOR_C': 'YES', 'EXTRACT_STATIC': 'YES', 'SORT_MEMBER_DOCS': 'NO',
        'MACRO_EXPANSION': 'YES', 'EXPAND_ONLY_PREDEF': 'YES', 'PREDEFINED': 'RTE_VFIO_WC_API=',
        'WARN_AS_ERROR': 'YES',
    }

# SPDX-License-Identifier: BSD-3-Clause
# sphinx-build doc build-doc
project = 'dpdk-vfio-wc'
extensions = []
html_theme = 'alabaster'
exclude_patterns = []

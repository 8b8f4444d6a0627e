# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# suites: trixie bookworm forky
# long: bookworm
# timeout: 600
# The stock ENA PMD drives the model, in LLQ mode, uncached: nothing is lost or corrupt.

. /src/lab/tests/ena.sh
plan 39

ena_traffic "UC" llq

# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# stage: long
# timeout: 600
# A device that refuses LLQ: the PMD falls back to descriptors in host memory. One that recommends
# wide entries gets them.

. /src/lab/tests/ena.sh
plan 79

ena llq off >/dev/null
ena_traffic "no LLQ" host
ena llq wide >/dev/null
ena_traffic "wide LLQ" llq
is "wide LLQ: entries of 256 bytes" "$entry_size" 256
ena llq on >/dev/null

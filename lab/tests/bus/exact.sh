# SPDX-License-Identifier: BSD-3-Clause
# bus: yes
# timeout: 500
# The plugin's counts are exact: random sequences of stores of all kinds, loads and fences, to a BAR
# that is RAM and to one that is emulated, against a reference model
# (lab/guest/programs/bus_stores.c).

. /src/lab/tests/lib.sh
plan 2

# The emulated page is virtio's notify page: a device that was reset looks at no queue.
bus-stores "$(bdf ivshmem)" 2 "$(bdf virtio)" 4 0x3000 "${SEQUENCES:-1500}" ${SEED:-} >/tmp/stores
tap /tmp/stores

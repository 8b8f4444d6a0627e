# SPDX-License-Identifier: BSD-3-Clause
"""What DPDK's dpdk-telemetry-exporter.py reads of the plugin vfio_wc: put beside its own."""

ON = 'range_on'
BYTES = 'range_bytes'


def info():
    """What there is: {name: (description, type)}."""
    return {
        ON: ('Whether the range of a BAR has the memory type that was asked for.', 'gauge'),
        BYTES: ('Length of the range of a BAR that a memory type was asked for.', 'gauge'),
    }


def metrics(sock):
    """What it is now: [(name, value, labels)]. A process without the plugin has nothing."""
    on, length = [], []
    for range_id in sock.cmd('/vfio_wc/list') or []:
        found = sock.cmd('/vfio_wc/info', range_id)
        if not found: # gone since
            continue
        labels = {'id': range_id, **{key: str(found[key]) for key in (
            'device', 'bar', 'offset', 'mode', 'requested')}}
        on.append((ON, int(found['state'] == 'on'), labels))
        length.append((BYTES, found['length'], labels))
    return on + length

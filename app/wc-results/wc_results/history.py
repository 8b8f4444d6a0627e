# SPDX-License-Identifier: BSD-3-Clause
"""A folder of results, a file each, to which one can only add."""

import hashlib
import os
import tempfile

from . import results


def add(folder, path):
    """The name that the result got there. One that is there already is not added again."""
    with open(path, 'rb') as f:
        data = f.read()
    result = results.read(path)
    name = '%s-%s.json' % (result['started'].replace(':', ''),
                           hashlib.sha256(data).hexdigest()[:12])
    with tempfile.NamedTemporaryFile(dir=folder) as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
        os.fchmod(f.fileno(), 0o444)
        try:
            os.link(f.name, os.path.join(folder, name))
        except FileExistsError:
            pass
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory) # the name, too
    finally:
        os.close(directory)
    return name


def lines(all_results):
    """A line for each."""
    yield '%-20s  %-12s  %-12s  %-8s  %s' % ('started', 'commit', 'fingerprint', 'status', 'series')
    for result in all_results:
        usable = [metric for metric in result['metrics'] if metric['usable']]
        yield '%-20s  %-12.12s  %-12s  %-8.8s  %d of %d usable' % (
            result['started'], result['environment'].get('parts', {}).get('commit', 'unknown'),
            results.fingerprint(result), result['status'], len(usable), len(result['metrics']))

# SPDX-License-Identifier: BSD-3-Clause
"""Work in two processes: one tests what needs no guest while the other's guest boots, and later two
guests run at once. One guest at a time leaves half of two CPUs idle."""

import os
import pickle
import signal
import sys
import tempfile
import traceback


def in_two(first, second, play, said):
    """Play what both are given, each piece once, by whoever comes to it first.

    first, second: the order in which each of two processes would take the pieces, by number
    play(numbers): takes the pieces of an iterator, in either process
    said(): what the second process has to say of it at the end, whatever can be pickled
    Returns that, or None if the second process ended in another way.
    """
    with tempfile.TemporaryDirectory(prefix='lanes-') as path:
        def mine(order):
            for number in order:
                try:
                    os.close(os.open('%s/%d' % (path, number), os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    continue # the other one has it
                yield number

        sys.stdout.flush()
        child = os.fork()
        if not child:
            status = 1
            try:
                play(mine(second))
                with open(path + '/said', 'wb') as f:
                    pickle.dump(said(), f)
                status = 0
            except BaseException: # it must not go on as if it were the first
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(status)
        try:
            play(mine(first))
        except BaseException:
            os.kill(child, signal.SIGTERM)
            raise
        finally:
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status:
            return None
        with open(path + '/said', 'rb') as f:
            return pickle.load(f)

# SPDX-License-Identifier: BSD-3-Clause
"""Where the tests find each other, and what they test."""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, HERE + '/..']

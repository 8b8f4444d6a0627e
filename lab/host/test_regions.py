# SPDX-License-Identifier: BSD-3-Clause
"""Where the series for the kernel enter regions in their tree, on 32 bits, which no guest has: the
function that says it is taken out of the patches and compiled with such a long."""

import glob
import os
import re
import subprocess

import pytest

HARNESS = r'''
#include <stdbool.h>
#include <stdio.h>
typedef unsigned long long u64;
#define BITS_PER_LONG 32
#define PAGE_SHIFT 12
#define VFIO_STANDARD_SHIFT 40
#define BIT(n) (1U << (n))
#define BIT_ULL(n) (1ULL << (n))
#define long int
%s
int main(void)
{
    u64 region = 1ULL << VFIO_STANDARD_SHIFT;
    unsigned long last, before = 0;

    for (u64 i = 0; i < 1 << (63 - VFIO_STANDARD_SHIFT); i++) {
        if (i && vfio_region_key(i * region) <= before)
            return printf("region %%llu meets the one before\n", i);
        last = vfio_region_key(i * region + (region - 1));
        if (last < vfio_region_key(i * region))
            return printf("region %%llu ends before it begins\n", i);
        before = last;
    }
    for (u64 pos = 0; pos < 15 * region; pos += 1ULL << PAGE_SHIFT)
        if (vfio_region_key(pos) != pos >> PAGE_SHIFT)
            return printf("a page at %%llx is not where it should be\n", pos);
    return 0;
}
'''


@pytest.mark.parametrize('series', sorted(glob.glob('/src/kernel-patch/linux-*')),
                         ids=os.path.basename)
def test_each_region_has_its_place(series, tmp_path):
    """As many regions as 63 bits of an offset hold; pages as far as cookies may be."""
    added = ''
    for name in glob.glob(series + '/**/0*-in-a-maple.patch', recursive=True):
        with open(name, encoding='utf-8') as f:
            added += re.sub(r'^\+', '', f.read(), flags=re.M)
    defines = re.findall(r'^#define VFIO_(?:REGION_SHIFT|BEYOND_PAGES).*\n', added, re.M)
    function = re.search(r'^static unsigned long vfio_region_key\(.*?^}\n', added, re.M | re.S)
    assert function, 'no vfio_region_key()'
    source, program = tmp_path / 'key.c', str(tmp_path / 'key')
    source.write_text(HARNESS % (''.join(defines) + function[0]), encoding='utf-8')
    subprocess.run(['gcc', '-O2', '-Wall', '-Werror', '-o', program, str(source)], check=True)
    done = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stdout

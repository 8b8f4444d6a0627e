# SPDX-License-Identifier: BSD-3-Clause
"""Nobody passes a test by accident: what counts as a result, and what a plan is held to."""

import pytest

from results import Protocol, junit, tap


def said(*lines, status=0, word='w0rd'):
    found = []
    protocol = Protocol(word, lambda *result: found.append(result))
    for line in lines:
        # However the bytes arrive
        for byte in (line + '\n').encode():
            protocol(bytes([byte]))
    return found, protocol.ended(status)


def test_results_and_what_was_said_before():
    found, problem = said('w0rd\tplan\t3\t', 'noise', 'w0rd\tok\tone\t', '', 'more', 'noise',
                          'w0rd\tnot ok\ttwo\twhy not\t',
                          'w0rd\tskip\tthree\tno such NIC\t', status=1)
    assert problem == ''
    assert found == [('ok', 'one', '', 'noise'), ('not ok', 'two', 'why not', 'more\nnoise'),
                     ('skip', 'three', 'no such NIC', '')]


@pytest.mark.parametrize('line', ['ok', 'ok 1', 'ok 1 - one', 'ok\tone', 'w0rd ok one',
                                  ' w0rd\tok\tone', 'w0rx\tok\tone', '1..1', 'not w0rd\tok\tone'])
def test_output_of_programs_is_no_result(line):
    found, problem = said('w0rd\tplan\t1\t', line)
    assert found == []
    assert '0 results of 1' in problem


@pytest.mark.parametrize('lines, status, problem', [
    (['w0rd\tok\tone'], 0, 'no plan'),
    ([], 0, 'no plan'),
    (['w0rd\tplan\t0'], 0, 'no plan: "0"'),
    (['w0rd\tplan\tmany', 'w0rd\tok\tone'], 0, 'no plan: "many"'),
    (['w0rd\tplan\t1', 'w0rd\tplan\t1', 'w0rd\tok\tone'], 0, 'not the first'),
    (['w0rd\tok\tone', 'w0rd\tplan\t1'], 0, 'not the first'),
    (['w0rd\tplan\t2', 'w0rd\tok\tone'], 0, '1 results of 2'),
    (['w0rd\tplan\t1', 'w0rd\tok\tone', 'w0rd\tok\ttwo'], 0, '2 results of 1'),
    (['w0rd\tplan\t1', 'w0rd\tok\tone'], 1, 'exit status 1 with 0 failures'),
    (['w0rd\tplan\t1', 'w0rd\tok\tone'], 139, 'exit status 139'),
    (['w0rd\tplan\t1', 'w0rd\tnot ok\tone\twhy'], 0, 'exit status 0 with 1 failures'),
    (['w0rd\tplan\t1', 'w0rd\tok\t\twhy'], 0, 'no result'),
    (['w0rd\tplan\t1', 'w0rd\tfine\tone'], 0, 'no result: "fine one"'),
])
def test_what_a_script_is_held_to(lines, status, problem):
    assert problem in said(*lines, status=status)[1]


def test_a_last_line_without_its_end():
    found = []
    protocol = Protocol('w', lambda *result: found.append(result))
    protocol(b'w\tplan\t1\nw\tok\tone')
    assert protocol.ended(0) == '' and found == [('ok', 'one', '', '')]


def test_tap():
    found, problem = tap('TAP version 13\n1..4\nhello\nok 1 - a - b\nnot ok 2 - c # why\n'
                         'ok 3 d # SKIP no device\nok 4 - e\n')
    assert problem == ''
    assert found == [('ok', 'a - b', '', 'TAP version 13\nhello'), ('not ok', 'c', 'why', ''),
                     ('skip', 'd', 'no device', ''), ('ok', 'e', '', '')]


@pytest.mark.parametrize('text, problem', [
    ('ok 1 - a\n', 'no plan'),
    ('1..2\nok 1 - a\n', '1 results of 2'),
    ('1..0\n', '0 results of 0'),
    ('', 'no plan'),
    ('1..2\nok 1 - a\nok 3 - b\n', 'result 3 where 2'),
    ('1..1\n1..1\nok 1 - a\n', 'two plans'),
    ('1..1\nok a\n', '0 results of 1'),
    ('1..1\nok\n', '0 results of 1'),
])
def test_tap_that_does_not_keep_its_plan(text, problem):
    assert problem in tap(text)[1]


def test_a_skip_that_failed_is_a_failure():
    assert tap('1..1\nnot ok 1 - a # SKIP broken\n')[0][0][0] == 'not ok'


def test_junit():
    assert junit('<testsuites><testsuite name="dpdk-vfio-wc.lib"><testcase name="a"/>'
                 '<testcase name="b"><failure message="no"/></testcase>'
                 '<testcase name="c"><skipped message="not here"/></testcase>'
                 '<testcase name="d"><skipped/><error message="crashed"/></testcase></testsuite>'
                 '<testsuite name="dpdk-vfio-wc.dpdk-vfio-wc:long / model">'
                 '<testcase name="1 - a / b"/></testsuite><testsuite name="dpdk-vfio-wc"><testcase '
                 'name="dpdk-vfio-wc / probe"/></testsuite>'
                 '<testsuite name="dpdk-vfio-wc.none"/></testsuites>') == [
                     ('lib', 'a', 'ok', ''), ('lib', 'b', 'not ok', 'no'),
                     ('lib', 'c', 'skip', 'not here'), ('lib', 'd', 'not ok', 'crashed'),
                     ('model', '1 - a / b', 'ok', ''), ('dpdk-vfio-wc', 'probe', 'ok', ''),
                     ('none', 'any case', 'not ok', 'it had none')]

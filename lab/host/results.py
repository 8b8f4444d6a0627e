# SPDX-License-Identifier: BSD-3-Clause
"""What others say of their tests: scripts in a guest, programs that speak TAP, meson. Each is held
to what it announced, and nothing else counts."""

import re
import xml.etree.ElementTree


class Protocol:
    """What a script in a guest says of its tests (lab/tests/lib.sh), read as it comes.

    Its results are the lines that begin with the secret word of this run; all else is the output of
    programs, whatever it looks like, and is kept for whoever reads of a failure. A plan comes
    first, once, and is kept.

    word: the secret
    report(verdict, name, reason, output): is called for each result; verdicts: ok, not ok, skip
    """
    VERDICTS = ('ok', 'not ok', 'skip')

    def __init__(self, word, report):
        self.word, self.report = word.encode(), report
        self.lines, self.rest = [], b''
        self.planned, self.count, self.bad, self.problems = None, 0, 0, []

    def __call__(self, data):
        *complete, self.rest = (self.rest + data).split(b'\n')
        for line in complete:
            if line.startswith(self.word + b'\t'):
                self.result(line.decode('utf-8', 'replace').split('\t')[1:])
            elif line.strip():
                self.lines.append(line.decode('utf-8', 'replace').rstrip('\r'))

    def __str__(self):
        return '\n'.join(self.lines)

    def result(self, fields):
        verdict, name, reason, *_ = *fields, '', '', ''
        if verdict == 'plan':
            if self.planned is not None or self.count:
                self.problems.append('a plan that is not the first thing said')
            elif not re.fullmatch(r'[1-9]\d*', name):
                self.problems.append('no plan: "%s"' % name)
            else:
                self.planned = int(name)
            return
        if verdict not in self.VERDICTS or not name:
            self.problems.append('no result: "%s"' % ' '.join(fields).strip())
            return
        self.count += 1
        self.bad += verdict == 'not ok'
        self.report(verdict, name, reason, str(self))
        self.lines.clear()

    def ended(self, status):
        """The script has, with that status. Returns what is wrong with it as a whole, or ''."""
        if self.rest:
            self(b'\n')
        problems = list(self.problems)
        if self.planned is None:
            problems.append('it had no plan, and %d results' % self.count)
        elif self.planned != self.count:
            problems.append('%d results of %d that it planned' % (self.count, self.planned))
        if status != (self.bad > 0):
            problems.append('exit status %d with %d failures' % (status, self.bad))
        return '; '.join(problems)


TAP = re.compile(r'(?P<verdict>ok|not ok) (?P<number>\d+)(?: +-)? +(?P<name>.*?)'
                 r'(?: +# *(?P<directive>.*))?')


def tap(text):
    """Results of a program that speaks TAP, and what is wrong with it as a whole, or ''.
    A result is (verdict, name, reason, output before it)."""
    found, problems, planned, output = [], [], None, []
    for line in text.splitlines():
        match = TAP.fullmatch(line)
        if re.fullmatch(r'1\.\.\d+', line):
            if planned is not None:
                problems.append('two plans')
            planned = int(line[3:])
        elif match:
            verdict, reason = match['verdict'], match['directive'] or ''
            skipped = re.match(r'SKIP\b[ :]*', reason, re.I)
            if skipped and verdict == 'ok':
                verdict, reason = 'skip', reason[skipped.end():]
            if int(match['number']) != len(found) + 1:
                problems.append('result %s where %d should be' % (match['number'], len(found) + 1))
            found.append((verdict, match['name'], reason, '\n'.join(output)))
            output = []
        else:
            output.append(line)
    if planned is None:
        problems.append('no plan')
    elif planned != len(found) or not planned:
        problems.append('%d results of %d planned' % (len(found), planned))
    return found, '; '.join(problems)


def junit(text):
    """Results of a JUnit XML file, meson's for one: [(test, case, verdict, reason)].
    Without cases a test is a failure of its own: it says nothing. (meson makes a suite PROJECT.TEST
    of what speaks TAP, and a case TEST of suite PROJECT of what has an exit status alone; TEST is
    "PROJECT:SUITE / TEST" where a project has suites.)"""
    def short(name):
        return re.sub(r'^[\w-]+(:[\w-]+)? / ', '', name)

    found = []
    for suite in xml.etree.ElementTree.fromstring(text).iter('testsuite'):
        name, before = short(suite.get('name').rpartition('.')[2]), len(found)
        for case in suite.iter('testcase'):
            verdict, reason = 'ok', ''
            for child in case:
                if child.tag in ('failure', 'error'):
                    verdict = 'not ok'
                elif child.tag == 'skipped' and verdict == 'ok':
                    verdict = 'skip'
                else:
                    continue
                reason = child.get('message') or reason
            found.append((name, short(case.get('name')), verdict, reason))
        if len(found) == before:
            found.append((name, 'any case', 'not ok', 'it had none'))
    return found

# SPDX-License-Identifier: BSD-3-Clause
"""Is the new run better, worse, the same, or is it not decided yet?

Tiers, by what can be trusted:

counts     what reached the bus, where it repeats itself: compared as it is, by the medians;
varying    counts that do not;
ratios     within a run, where a slower machine slows both arms;
rates      by the clock: last, for whatever else the machine does is in them.

All tiers but the first share ALPHA, the chance that anything at all is called better or worse when
nothing has changed, and Holm's correction shares it among the cases of a tier. The test is the
exact one of Mann and Whitney, which assumes nothing of the noise but that it is the same in both.
"""

import functools
import math
from typing import NamedTuple

import numpy
from scipy import stats

from . import results, summary

ALPHA = 0.01        # a report
SAME = 0.05         # a case: "same", though it differs by the threshold
POWER = 0.9         # what the number of further samples is for
EXACT_UP_TO = 30    # starts of a side; beyond, the normal approximation is as good
LEAST_COUNTS = 3    # starts of a side, to see that a count repeats itself


class Finding(NamedTuple):
    metric: dict        # the new one's, or the old one's where there is none
    tier: str
    verdict: str        # better, worse, same, undecided, not compared
    change: float       # relative: 0.03 is 3% more; None
    more: int           # starts that each side should have beyond these; 0
    why: str            # where it was not compared
    lost: bool = False  # and the old run had it, fit for use


# --- Statistics -----------------------------------------------------------------------------------

@functools.lru_cache(maxsize=None)
def mann_whitney(u, n_old, n_new, alternative):
    """p where a new sample is above an old one in u of all pairs."""
    top, rest = divmod(u, n_old)
    new = [n_old + i for i in range(top)] + [rest - 0.5][:n_new - top]
    new += [-1 - i for i in range(n_new - len(new))]
    return stats.mannwhitneyu(
        new, range(n_old), alternative=alternative,
        method='exact' if min(n_old, n_new) <= EXACT_UP_TO else 'asymptotic').pvalue


def p_value(old, new, alternative='two-sided'):
    """Along the last axis; greater: the new ones are. Equal samples speak against a difference."""
    new, old = new[..., :, None], old[..., None, :]
    pairs = new.shape[-2] * old.shape[-1]
    low, high = ((compared(new, old)).sum((-2, -1)) for compared in (numpy.greater,
                                                                     numpy.greater_equal))
    u = {'two-sided': numpy.clip(pairs // 2, low, high), 'greater': low, 'less': high}[alternative]
    return numpy.vectorize(mann_whitney, otypes=[float], excluded={1, 2, 3})(
        u, old.shape[-1], new.shape[-2], alternative)


def holm(p, alpha):
    """Which of them differ."""
    p = numpy.asarray(p, float)
    order = numpy.argsort(p, kind='stable')
    passed = numpy.cumprod(p[order] <= alpha / (len(p) - numpy.arange(len(p)))).astype(bool)
    found = numpy.zeros(len(p), bool)
    found[order] = passed
    return found


def shift(old, new):
    """Hodges and Lehmann's estimate."""
    return float(numpy.median(new[:, None] - old[None, :]))


def within(old, new, limit):
    """Are both a rise and a fall by the limit excluded?"""
    return p_value(old + limit, new, 'less') <= SAME >= p_value(old - limit, new, 'greater')


def repeats_itself(v, limit):
    """All starts but one in six are within half the limit of their median."""
    if len(v) < LEAST_COUNTS:
        return False
    far = numpy.abs(v - numpy.median(v)) > limit / 2
    return far.sum() <= len(v) // 6


def further(old, new, limit, alpha):
    """How many more starts of each decide a change by the limit."""
    noise = max(numpy.std(v, ddof=1) if len(v) > 1 else 0 for v in (old, new))
    z = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(POWER)
    need = math.ceil(2 * (z * noise / limit) ** 2 * math.pi / 3)
    least = 2
    while 2 / math.comb(2 * least, least) > alpha:
        least += 1
    return max(1, max(need, least) - min(len(old), len(new)))


# --- A report -------------------------------------------------------------------------------------

def tier(metric, old, new, limit):
    if metric['kind'] == 'counted':
        return 'counts' if all(repeats_itself(v, limit) for v in (old, new)) else 'varying'
    return 'ratios' if metric['unit'] == 'ratio' else 'rates'


def judged(metric, difference, changed):
    if not changed:
        return 'same'
    return 'better' if (difference > 0) == (metric['direction'] == 'higher') else 'worse'


def obstacle(old, new):
    """Why two metrics cannot be compared; '' if they can."""
    for which, metric in ('old', old), ('new', new):
        if metric is None:
            return 'not in the %s run' % which
        if not metric['usable']:
            return 'not usable in the %s run: %s' % (which, '; '.join(metric['reasons']))
        if not metric['samples']:
            return 'no samples in the %s run' % which
        if min(results.values(metric)) <= 0:
            return 'not all positive in the %s run' % which
    if any(old[key] != new[key] for key in ('unit', 'direction', 'kind')):
        return 'another unit, direction or kind'
    return ''


def metrics(old, new, threshold):
    """Findings for two lists of metrics. What is modelled is left out: it is the counts again."""
    limit = math.log1p(threshold)
    sides = [{m['id']: m for m in side if m['kind'] != 'modelled'} for side in (old, new)]
    findings, tiers = {}, {}
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        pair = [side.get(name) for side in sides]
        why = obstacle(*pair)
        if why:
            findings[name] = Finding(pair[1] or pair[0], '', 'not compared', None, 0, why,
                                     not obstacle(pair[0], pair[0]))
            continue
        v = [numpy.log(results.values(metric)) for metric in pair]
        tiers.setdefault(tier(pair[1], *v, limit), []).append((name, pair[1], *v))
    for name, metric, a, b in tiers.pop('counts', ()):
        difference = float(numpy.median(b) - numpy.median(a))
        findings[name] = Finding(metric, 'counts', judged(metric, difference,
                                                          abs(difference) >= limit),
                                 math.expm1(difference), 0, '')
    for which, members in tiers.items():
        alpha = ALPHA / len(tiers)
        differs = holm([p_value(a, b) for *_, a, b in members], alpha)
        for (name, metric, a, b), significant in zip(members, differs):
            difference = shift(a, b)
            more = 0
            if significant and abs(difference) >= limit:
                verdict = judged(metric, difference, True)
            elif within(a, b, limit):
                verdict = 'same'
            else:
                verdict, more = 'undecided', further(a, b, limit, alpha / len(members))
            findings[name] = Finding(metric, which, verdict, math.expm1(difference), more, '')
    order = {name: n for n, name in enumerate(dict.fromkeys([*sides[0], *sides[1]]))}
    return [findings[name] for name in sorted(findings, key=order.get)]


def worst(findings):
    """The verdict of a report. A run that cannot be judged is not decided, nor one that has lost
    what the old one had."""
    verdicts = {'undecided' if finding.lost else finding.verdict for finding in findings}
    for verdict in 'worse', 'undecided', 'better', 'same':
        if verdict in verdicts:
            return verdict
    return 'undecided'


# --- For people -----------------------------------------------------------------------------------

def lines(findings, old):
    before = {metric['id']: metric for metric in old}
    case = None
    for finding in findings:
        metric = finding.metric
        if metric['case'] != case:
            case = metric['case']
            yield ''
            yield summary.case(case)
        name = '  %-8s %-15s' % (metric['arm'], metric['metric'])
        if finding.verdict == 'not compared':
            yield name + ' not compared:'
            yield '      ' + finding.why
            continue
        a, b = (summary.number(float(numpy.median(results.values(m))))
                for m in (before[metric['id']], metric))
        verdict = finding.verdict
        if finding.more:
            verdict += ' (take %s more)' % (finding.more if finding.more <= 1000 else '> 1000')
        yield '%s %9s -> %-9s %+6.1f%% %s' % (name, a, b, 100 * finding.change, verdict)

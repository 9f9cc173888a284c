"""The passes of `lnrisk.features.summaries` and of the trajectories as loops for the compiler.

Assumes what those modules assume; where numba cannot write its cache beside this file, it compiles
anew in each process, which costs some seconds. Only `add_profile` lets sums be added in another
order, for speed: it feeds a search, not a patient's figures.
"""

from typing import Any

import numba
import numpy as np

__all__ = [
    "add_plain",
    "add_plain_and_trajectory",
    "add_profile",
    "count_blocks",
    "count_patterns",
    "finish_plain",
    "gather",
    "into_blocks",
    "posterior_without_limits",
]

LARGE = 1e100  # determinants are multiplied up to here before a logarithm is taken


@numba.njit(inline="always")  # type: ignore[untyped-decorator]
def _add_value(s: Any, d: float, y: float) -> None:
    """Add a value to the plain sums of its series; conditional moves, as no branch is likely."""
    first, last = d < s[7], d >= s[9]
    s[0] += 1.0
    s[1] += d
    s[2] += d * d
    s[3] += y
    s[4] += d * y
    s[5] = y if y < s[5] else s[5]
    s[6] = y if y > s[6] else s[6]
    s[7] = d if first else s[7]
    s[8] = y if first else s[8]
    s[9] = d if last else s[9]
    s[10] = y if last else s[10]


@numba.njit(inline="always")  # type: ignore[untyped-decorator]
def _add_point(q: Any, t: float, k: float, y: float, side: int) -> None:
    """Add a value to the sufficient statistics of its series."""
    if side == 0:
        q[0] += 1.0
        q[1] += t
        q[2] += k
        q[3] += t * t
        q[4] += t * k
        q[5] += k * k
        q[6] += y
        q[7] += t * y
        q[8] += k * y
        q[9] += y * y
    else:
        first = 10 if side < 0 else 14
        q[first] += 1.0
        q[first + 1] += t
        q[first + 2] += k
        q[first + 3] += y


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_plain(patient: Any, analyte: Any, day: Any, value: Any, n_analytes: int, sums: Any) -> None:
    """Add every row to the sums of its series; a tie of days goes to the later row at the end."""
    for row in range(len(value)):
        at = np.int64(patient[row]) * n_analytes + analyte[row]
        _add_value(sums[at], np.float64(day[row]), value[row])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_plain_and_trajectory(
    patient: Any,
    analyte: Any,
    day: Any,
    value: Any,
    side: Any,
    knot: Any,
    days_per_month: float,
    n_analytes: int,
    sums: Any,
    statistics: Any,
) -> None:
    """Add every row to the plain sums and to the sufficient statistics of its series."""
    for row in range(len(value)):
        at = np.int64(patient[row]) * n_analytes + analyte[row]
        d, y = np.float64(day[row]), value[row]
        _add_value(sums[at], d, y)
        t = max(d, 0.0) / days_per_month
        _add_point(statistics[at], t, max(t - knot[analyte[row]], 0.0), y, side[row])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def count_blocks(patient: Any, shift: int, count: Any) -> int:
    """Count the rows of each block of ``2 ** shift`` patients; return how often the block changes.

    ``count`` (n_blocks + 1) gets those of block b at b + 1.
    """
    changes, before = 0, np.int64(-1)
    for row in range(len(patient)):
        block = np.int64(patient[row]) >> shift
        count[block + 1] += 1
        changes += block != before
        before = block
    return changes


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def into_blocks(rows: Any, shift: int, begin: Any, ordered: Any) -> None:
    """Copy rows block by block, those of a block in their order; ``begin`` is used up.

    ``rows`` and ``ordered`` are columns patient, analyte, day, value and side.
    """
    patient, analyte, day, value, side = rows
    patients, analytes, days, values, sides = ordered
    for row in range(len(patient)):
        block = np.int64(patient[row]) >> shift
        to = begin[block]
        begin[block] = to + 1
        patients[to] = patient[row]
        analytes[to] = analyte[row]
        days[to] = day[row]
        values[to] = value[row]
        sides[to] = side[row]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def finish_plain(sums: Any) -> None:
    """Write means and slope over their sums, and nan where a series has no value."""
    for i in range(len(sums)):
        s = sums[i]
        n = s[0]
        if n == 0.0:
            s[1:] = np.nan
            continue
        slope = np.nan
        if s[9] > s[7]:
            slope = (s[4] - s[1] * s[3] / n) / (s[2] - s[1] * s[1] / n)
        s[1] = s[1] / n
        s[3] = s[3] / n
        s[4] = slope


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def count_patterns(sums: Any, weight: Any, pattern: Any, count: Any) -> int:
    """Count patients with a value by pattern, and their values (n_patterns, 2).

    Returned is how many patients have a value beyond a limit.
    """
    limited = 0
    for i in range(len(sums)):
        beyond = sums[i, 10] + sums[i, 14]
        values = sums[i, 0] + beyond
        if weight[i] > 0.0 and values > 0.0:
            count[pattern[i], 0] += 1.0
            count[pattern[i], 1] += values
            limited += beyond > 0.0
    return limited


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def gather(sums: Any, weight: Any, pattern: Any, end: Any, columns: Any, weights: Any) -> None:
    """Copy the exact statistics of patients who have any, ordered by pattern, column by column.

    ``columns`` (10, n) gets them from ``end[pattern]`` on, which moves to the pattern's end.
    """
    for i in range(len(sums)):
        s = sums[i]
        if weight[i] > 0.0 and s[0] > 0.0:
            to = end[pattern[i]]
            end[pattern[i]] = to + 1
            weights[to] = weight[i]
            for column in range(10):
                columns[column, to] = s[column]


@numba.njit(error_model="numpy", fastmath=True, nogil=True)  # type: ignore[untyped-decorator]
def _products(columns: Any, weight: Any, d11: float, d12: float, d22: float) -> Any:
    """Return the sums over patients of one pattern that `add_profile` explains.

    A patient's columns are 1, time, time past the knot and value: G their products with 1 and
    time, ``inv(I + G D)`` times those (u for 1, v for time), and 1 - D u what is left of each.
    """
    q0 = q1 = q2 = q3 = q4 = q5 = q6 = q7 = q8 = q9 = 0.0
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = a8 = a9 = 0.0
    b0 = b1 = b2 = b3 = b4 = b5 = b6 = b7 = b8 = b9 = 0.0
    c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = c8 = c9 = 0.0
    g11 = g12 = g22 = total = 0.0
    x0, x1, x2, x3, x4, x5, x6, x7, x8, x9 = columns
    for i in range(len(weight)):
        n, t, k, tt, tk = x0[i], x1[i], x2[i], x3[i], x4[i]
        kk, y, ty, ky, yy = x5[i], x6[i], x7[i], x8[i], x9[i]
        w = weight[i]
        m11, m12 = 1.0 + d11 * n + d12 * t, d11 * t + d12 * tt
        m21, m22 = d12 * n + d22 * t, 1.0 + d12 * t + d22 * tt
        r = 1.0 / (m11 * m22 - m12 * m21)
        i11, i12, i21, i22 = m22 * r, -m21 * r, -m12 * r, m11 * r
        nu, nv = i11 * n + i12 * t, i21 * n + i22 * t
        tu, tv = i11 * t + i12 * tt, i21 * t + i22 * tt
        ku, kv = i11 * k + i12 * tk, i21 * k + i22 * tk
        yu, yv = i11 * y + i12 * ty, i21 * y + i22 * ty
        n1, n2 = d11 * nu + d12 * nv, d12 * nu + d22 * nv
        t1, t2 = d11 * tu + d12 * tv, d12 * tu + d22 * tv
        k1, k2 = d11 * ku + d12 * kv, d12 * ku + d22 * kv
        y1, y2 = d11 * yu + d12 * yv, d12 * yu + d22 * yv
        q0 += w * (n - (n * n1 + t * n2))
        q1 += w * (t - (n * t1 + t * t2))
        q2 += w * (k - (n * k1 + t * k2))
        q3 += w * (y - (n * y1 + t * y2))
        q4 += w * (tt - (t * t1 + tt * t2))
        q5 += w * (tk - (t * k1 + tt * k2))
        q6 += w * (ty - (t * y1 + tt * y2))
        q7 += w * (kk - (k * k1 + tk * k2))
        q8 += w * (ky - (k * y1 + tk * y2))
        q9 += w * (yy - (y * y1 + ty * y2))
        g11 += w * nu
        g12 += w * tu
        g22 += w * tv
        total += w * n
        wnu, wtu, wku, wyu = w * nu, w * tu, w * ku, w * yu
        wnv, wtv, wkv, wyv = w * nv, w * tv, w * kv, w * yv
        a0 += wnu * nu
        a1 += wnu * tu
        a2 += wnu * ku
        a3 += wnu * yu
        a4 += wtu * tu
        a5 += wtu * ku
        a6 += wtu * yu
        a7 += wku * ku
        a8 += wku * yu
        a9 += wyu * yu
        b0 += wnu * nv
        b1 += wnu * tv + wtu * nv
        b2 += wnu * kv + wku * nv
        b3 += wnu * yv + wyu * nv
        b4 += wtu * tv
        b5 += wtu * kv + wku * tv
        b6 += wtu * yv + wyu * tv
        b7 += wku * kv
        b8 += wku * yv + wyu * kv
        b9 += wyu * yv
        c0 += wnv * nv
        c1 += wnv * tv
        c2 += wnv * kv
        c3 += wnv * yv
        c4 += wtv * tv
        c5 += wtv * kv
        c6 += wtv * yv
        c7 += wkv * kv
        c8 += wkv * yv
        c9 += wyv * yv
    left = (q0, q1, q2, q3, q4, q5, q6, q7, q8, q9)
    one, mixed = (a0, a1, a2, a3, a4, a5, a6, a7, a8, a9), (b0, b1, b2, b3, b4, b5, b6, b7, b8, b9)
    time = (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9)
    return left, one, mixed, time, (g11, g12, g22, total)


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _log_determinant(columns: Any, weight: Any, d11: float, d12: float, d22: float) -> float:
    total, product = 0.0, 1.0
    x0, x1, x3 = columns[0], columns[1], columns[3]
    for i in range(len(weight)):
        n, t, tt = x0[i], x1[i], x3[i]
        m11, m12 = 1.0 + d11 * n + d12 * t, d11 * t + d12 * tt
        m21, m22 = d12 * n + d22 * t, 1.0 + d12 * t + d22 * tt
        determinant = m11 * m22 - m12 * m21
        if weight[i] == 1.0:
            product *= determinant
            if not product < LARGE:
                total += np.log(product)
                product = 1.0
        else:
            total += weight[i] * np.log(determinant)
    return float(total + np.log(product))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_profile(x: Any, weight: Any, begin: Any, d: Any, left: Any, outer: Any, total: Any) -> None:
    """Write, per pattern of groups, what profile deviance and gradient are made of.

    ``x`` (10, n) are statistics ordered by pattern, pattern p from ``begin[p]`` to
    ``begin[p + 1]``; ``d`` is the scaled covariance (11, 12, 22). Over the pairs of the columns
    1, time, time past the knot and value (10 of them, nn nt nk ny tt tk ty kk ky yy): ``left``
    (n_patterns, 10) gets their products under the inverse of the covariance of the values, and
    ``outer`` (n_patterns, 3, 10) minus the derivative of these on the three entries of ``d``, once
    for each order of a pair for 12. ``total`` (n_patterns, 5) gets the derivative of the log
    determinant (11, half of 12, 22), the number of values, and the log determinant.
    """
    for p in range(len(begin) - 1):
        a, b = begin[p], begin[p + 1]
        w, x0, x1, x2, x3, x4 = weight[a:b], x[0][a:b], x[1][a:b], x[2][a:b], x[3][a:b], x[4][a:b]
        x5, x6, x7, x8, x9 = x[5][a:b], x[6][a:b], x[7][a:b], x[8][a:b], x[9][a:b]
        part = (x0, x1, x2, x3, x4, x5, x6, x7, x8, x9)
        products, one, mixed, time, sums = _products(part, w, d[0], d[1], d[2])
        for i in range(10):
            left[p, i] = products[i]
            outer[p, 0, i] = one[i]
            outer[p, 1, i] = mixed[i]
            outer[p, 2, i] = time[i]
        for i in range(4):
            total[p, i] = sums[i]
        total[p, 4] = _log_determinant(part, w, d[0], d[1], d[2])


@numba.njit(cache=True, error_model="numpy", nogil=True)  # type: ignore[untyped-decorator]
def posterior_without_limits(
    sums: Any,
    given: Any,
    month: Any,
    mean: Any,
    variance: Any,
    error: float,
    knot: float,
    known: Any,
) -> None:
    """Write the six figures of `lnrisk.features.trajectories.posterior`, to the same bits.

    ``known`` (6, n_patients) gets level, slope, their deviations, change and its deviation.
    """
    d11, d12, d22 = variance[0], variance[1], variance[2]
    for i in range(len(sums)):
        s = sums[i]
        level, slope, bend = mean[0, 0], mean[0, 1], mean[0, 2]
        for group in range(given.shape[1]):
            has = given[i, group]
            has = has if has == has else 0.0
            level += has * mean[group + 1, 0]
            slope += has * mean[group + 1, 1]
            bend += has * mean[group + 1, 2]
        n, t, k, tt, tk, y, ty = s[0], s[1], s[2], s[3], s[4], s[6], s[7]
        r1 = (y - (n * level + t * slope + k * bend)) / error
        r2 = (ty - (t * level + tt * slope + tk * bend)) / error
        sn, st, stt = n / error, t / error, tt / error
        m11, m12 = 1.0 + d11 * sn + d12 * st, d11 * st + d12 * stt
        m21, m22 = d12 * sn + d22 * st, 1.0 + d12 * st + d22 * stt
        determinant = m11 * m22 - m12 * m21
        v11 = (m22 * d11 - m12 * d12) / determinant
        v12 = (m22 * d12 - m12 * d22) / determinant
        v22 = (m11 * d22 - m21 * d12) / determinant
        own_level, own_slope = v11 * r1 + v12 * r2, v12 * r1 + v22 * r2
        at = month[i]
        past = max(at - knot, 0.0)
        change = (slope + own_slope) * at + bend * past
        bent = slope + (bend if past > 0 else 0.0) + own_slope
        seen = n > 0
        known[0, i] = level + own_level + change if seen else np.nan
        known[1, i] = bent if seen else np.nan
        known[2, i] = np.sqrt(v11 + 2.0 * at * v12 + at * at * v22) if seen else np.nan
        known[3, i] = np.sqrt(v22) if seen else np.nan
        known[4, i] = change if seen else np.nan
        known[5, i] = at * np.sqrt(v22) if seen else np.nan

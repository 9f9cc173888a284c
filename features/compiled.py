"""The passes of `lnrisk.features.summaries` as loops for the compiler.

Assumes what that module assumes; where numba cannot write its cache beside this file, it compiles
anew in each process, which costs about a second.
"""

from typing import Any

import numba
import numpy as np

__all__ = [
    "add_gradient",
    "add_normal_equations",
    "add_plain",
    "add_trajectory",
    "finish_plain",
]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_plain(patient: Any, analyte: Any, day: Any, value: Any, n_analytes: int, sums: Any) -> None:
    """Add every row to the sums of its series; a tie of days goes to the later row at the end."""
    for row in range(len(value)):
        d, y = np.float64(day[row]), value[row]
        s = sums[np.int64(patient[row]) * n_analytes + analyte[row]]
        s[0] += 1.0
        s[1] += d
        s[2] += d * d
        s[3] += y
        s[4] += d * y
        if y < s[5]:
            s[5] = y
        if y > s[6]:
            s[6] = y
        if d < s[7]:
            s[7] = d
            s[8] = y
        if d >= s[9]:
            s[9] = d
            s[10] = y


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def finish_plain(sums: Any) -> None:
    """Write mean and slope over their sums, and nan where a series has no value."""
    for i in range(len(sums)):
        s = sums[i]
        n = s[0]
        if n == 0.0:
            s[3:] = np.nan
            continue
        slope = np.nan
        if s[9] > s[7]:
            slope = (s[4] - s[1] * s[3] / n) / (s[2] - s[1] * s[1] / n)
        s[3] = s[3] / n
        s[4] = slope


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_trajectory(
    patient: Any,
    analyte: Any,
    time: Any,
    value: Any,
    side: Any,
    knot: Any,
    n_analytes: int,
    sums: Any,
) -> None:
    """Add every row to the sufficient statistics of its series."""
    for row in range(len(value)):
        t, y = time[row], value[row]
        k = max(t - knot[analyte[row]], 0.0)
        s = sums[np.int64(patient[row]) * n_analytes + analyte[row]]
        if side[row] == 0:
            s[0] += 1.0
            s[1] += t
            s[2] += k
            s[3] += t * t
            s[4] += t * k
            s[5] += k * k
            s[6] += y
            s[7] += t * y
            s[8] += k * y
            s[9] += y * y
        else:
            first = 10 if side[row] < 0 else 14
            s[first] += 1.0
            s[first + 1] += t
            s[first + 2] += k
            s[first + 3] += y


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _scaled_covariance(s: Any, d11: float, d12: float, d22: float) -> Any:
    """Return ``det(I + D G)`` and the three entries of ``inv(inv(D) + G)``."""
    n, t, tt = s[0], s[1], s[3]
    m11, m12 = 1.0 + d11 * n + d12 * t, d11 * t + d12 * tt
    m21, m22 = d12 * n + d22 * t, 1.0 + d12 * t + d22 * tt
    det = m11 * m22 - m12 * m21
    v11 = (m22 * d11 - m12 * d12) / det
    v12 = (m22 * d12 - m12 * d22) / det
    v22 = (m11 * d22 - m21 * d12) / det
    return det, v11, v12, v22


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_normal_equations(
    sums: Any, weight: Any, pattern: Any, d: Any, matrix: Any, right: Any, total: Any
) -> None:
    """Add up, per pattern of groups, the generalised least squares of the mean curve.

    ``matrix`` (n_patterns, 6) gets X'WX as (nn, nt, nk, tt, tk, kk), ``right`` (n_patterns, 3) gets
    X'Wy, and ``total`` (3) gets y'Wy, the log determinant and the number of values.
    """
    for i in range(len(sums)):
        s, w = sums[i], weight[i]
        if w == 0.0 or s[0] == 0.0:
            continue
        det, v11, v12, v22 = _scaled_covariance(s, d[0], d[1], d[2])
        n, t, k, tt, tk, kk, y, ty, ky, yy = s[:10]
        a1n, a1t, a1k, a1y = (
            v11 * n + v12 * t,
            v11 * t + v12 * tt,
            v11 * k + v12 * tk,
            v11 * y + v12 * ty,
        )
        a2n, a2t, a2k, a2y = (
            v12 * n + v22 * t,
            v12 * t + v22 * tt,
            v12 * k + v22 * tk,
            v12 * y + v22 * ty,
        )
        m, r = matrix[pattern[i]], right[pattern[i]]
        m[0] += w * (n - (n * a1n + t * a2n))
        m[1] += w * (t - (n * a1t + t * a2t))
        m[2] += w * (k - (n * a1k + t * a2k))
        m[3] += w * (tt - (t * a1t + tt * a2t))
        m[4] += w * (tk - (t * a1k + tt * a2k))
        m[5] += w * (kk - (k * a1k + tk * a2k))
        r[0] += w * (y - (n * a1y + t * a2y))
        r[1] += w * (ty - (t * a1y + tt * a2y))
        r[2] += w * (ky - (k * a1y + tk * a2y))
        total[0] += w * (yy - (y * a1y + ty * a2y))
        total[1] += w * np.log(det)
        total[2] += w * n


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def add_gradient(
    sums: Any, weight: Any, pattern: Any, d: Any, curve: Any, error: float, gradient: Any
) -> None:
    """Add up the gradient of the profile deviance on the scaled covariance (11, 12, 22)."""
    for i in range(len(sums)):
        s, w = sums[i], weight[i]
        if w == 0.0 or s[0] == 0.0:
            continue
        _, v11, v12, v22 = _scaled_covariance(s, d[0], d[1], d[2])
        n, t, k, tt, tk, _, y, ty, _, _ = s[:10]
        b = curve[pattern[i]]
        r1 = y - (n * b[0] + t * b[1] + k * b[2])
        r2 = ty - (t * b[0] + tt * b[1] + tk * b[2])
        b1, b2 = v11 * r1 + v12 * r2, v12 * r1 + v22 * r2
        u1, u2 = r1 - (n * b1 + t * b2), r2 - (t * b1 + tt * b2)
        c11, c12, c21, c22 = (
            v11 * n + v12 * t,
            v11 * t + v12 * tt,
            v12 * n + v22 * t,
            v12 * t + v22 * tt,
        )
        gradient[0] += w * (n - (n * c11 + t * c21) - u1 * u1 / error)
        gradient[1] += w * (t - (n * c12 + t * c22) - u1 * u2 / error)
        gradient[2] += w * (tt - (t * c12 + tt * c22) - u2 * u2 / error)

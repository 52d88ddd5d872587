"""Golden vectors of the Universal Scalability Law fit, made with scipy.

    pip install scipy && python3 tests/kit/usl.py > tests/golden/verdict/usl.json

Each case: levels and throughputs (a law with seeded noise), and what scipy's bounded least squares
makes of them.
"""

import json

import numpy as np
from scipy.optimize import curve_fit

LEVELS = [
    [1, 2, 4, 8, 16, 32],
    [1, 2, 4, 8, 12, 16, 24, 32, 48, 64],
    [10, 20, 50, 100, 200, 400, 800],
    [1, 3, 6, 10, 15, 21, 28, 36],
]
LAWS = [
    (1000.0, 0.02, 0.0005),
    (35.5, 0.15, 0.0),
    (120.0, 0.0, 0.001),
    (8.0e4, 0.05, 1.0e-5),
    (50.0, 0.0, 0.0),
]


def law(n, g, a, b):
    return g * n / (1 + a * (n - 1) + b * n * (n - 1))


def main():
    rng = np.random.default_rng(7)
    cases = []
    for levels in LEVELS:
        for g, a, b in LAWS:
            for noise in (0.0, 0.03):
                n = np.array(levels, dtype=float)
                x = law(n, g, a, b) * (1 + noise * rng.standard_normal(len(n)))
                x = np.round(x, 6)
                best = None
                for start in ((0.1, 0.001), (0.01, 1e-5), (0.5, 0.0), (0.0, 0.01)):
                    found, _ = curve_fit(
                        law, n, x, p0=(x[0] / n[0], *start), bounds=(0, np.inf),
                        x_scale=(x[0] / n[0], 0.01, 1e-4), max_nfev=100_000,
                        xtol=1e-15, ftol=1e-15, gtol=1e-15,
                    )
                    error = float(((law(n, *found) - x) ** 2).sum())
                    if best is None or error < best[0]:
                        best = (error, found)
                error, (g_, a_, b_) = best
                cases.append({
                    "n": levels, "x": x.tolist(), "g": g_, "a": a_, "b": b_, "sse": error,
                })
    print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")


main()

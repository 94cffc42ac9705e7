#!/usr/bin/env python3
"""Numbers that MeasuresTests.swift holds its results against, by SciPy.

    pip install numpy scipy
    python golden_measures.py
"""
import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt

EXTENTS, SPACING = (23, 19, 17), (0.8, 1.1, 2.5)
X, Y, Z = np.meshgrid(*map(np.arange, EXTENTS), indexing="ij")


def ball(a, b, c, wx, wy, wz, limit):
    return wx * (X - a) ** 2 + wy * (Y - b) ** 2 + wz * (Z - c) ** 2 < limit


CASES = {
    "apart": (ball(7, 8, 6, 4, 9, 16, 300), ball(10, 9, 8, 5, 7, 20, 280)),
    "touching the border": (ball(0, 0, 0, 1, 1, 1, 60), ball(2, 1, 0, 1, 2, 1, 60)),
    "a speck": (ball(11, 9, 8, 1, 1, 1, 30), ball(20, 15, 14, 1, 1, 1, 1)),
    "hollow": (ball(11, 9, 8, 1, 1, 1, 50) & ~ball(11, 9, 8, 1, 1, 1, 12), ball(11, 9, 8, 1, 1, 1, 50)),
}


def surface(region):
    return region & ~binary_erosion(region)


def distance95(first, second):
    a, b = surface(first), surface(second)
    to_a = distance_transform_edt(~a, sampling=SPACING)
    to_b = distance_transform_edt(~b, sampling=SPACING)
    return np.percentile(np.concatenate([to_b[a], to_a[b]]), 95)


for name, (first, second) in CASES.items():
    away = distance_transform_edt(~first, sampling=SPACING)
    dice = 2 * (first & second).sum() / (first.sum() + second.sum())
    print(f"{name}: voxels {first.sum()} {second.sum()} dice {dice:.9f} "
          f"surface95 {distance95(first, second):.6f} "
          f"sum {away.sum():.4f} largest {away.max():.6f}")

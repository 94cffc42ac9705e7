#!/usr/bin/env python3
"""Writes the golden files of this folder with nibabel, and what nibabel reads back from them.

Needs nibabel and numpy. Run it in this folder; its outputs are committed, so that the tests need neither.
Voxel (x, y, z) holds 2x + 3y + 5z, before scaling.
"""
import json

import nibabel as nib
import numpy as np

SHAPE = (12, 11, 10)


def ramp(dtype):
    x, y, z = np.indices(SHAPE)
    return (2 * x + 3 * y + 5 * z).astype(dtype)


def turned(degrees, zooms, origin, mirrored=False):
    a, b = np.deg2rad(degrees), np.deg2rad(degrees / 2)
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = about_z @ about_x @ np.diag(zooms)
    if mirrored:
        affine[:3, 0] *= -1
    affine[:3, 3] = origin
    return affine


def save(name, image):
    nib.save(image, name)
    back = nib.load(name)
    data = back.get_fdata()
    expected[name] = {
        "affine": back.affine[:3].tolist(),
        "axes": "".join(nib.aff2axcodes(back.affine)),
        "values": {
            ",".join(map(str, voxel)): float(data[voxel])
            for voxel in [(0, 0, 0), (11, 0, 0), (0, 10, 0), (0, 0, 9), (4, 5, 6), (11, 10, 9)]
        },
    }


expected = {}

qform = nib.Nifti1Image(ramp(np.int16), None)
qform.header.set_qform(turned(20, (1, 1.5, 2), (-10, 20, 5.5), mirrored=True), 1)
qform.header.set_slope_inter(0.5, -3)
qform.header.set_xyzt_units("mm", "sec")
qform._affine = None
save("qform_scaled.nii.gz", qform)

both = nib.Nifti2Image(ramp(np.float32), turned(-35, (2, 2, 2), (1, 2, 3)))
both.header.set_xyzt_units("mm", "sec")
save("nifti2.nii.gz", both)

big = nib.Nifti1Image(
    ramp(np.int32).astype(">i4"), turned(95, (1, 1, 1), (0, 0, 0)),
    nib.Nifti1Header(endianness=">"))
big.header.set_xyzt_units("mm", "sec")
save("big_endian.nii.gz", big)

save("undeclared.nii.gz", nib.Nifti1Image(ramp(np.uint8), None))

mgh = nib.MGHImage(ramp(np.int16), turned(60, (1, 1.25, 1.5), (30, -20, 10)))
save("volume.mgz", mgh)

with open("expected.json", "w") as out:
    json.dump(expected, out, indent=1, sort_keys=True)
    out.write("\n")

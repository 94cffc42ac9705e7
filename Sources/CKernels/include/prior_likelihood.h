// Likelihood of intensities under a location prior of tissue groups, at arbitrary positions.
//
// Shapes, fastest axis last:
//   prior      nz x ny x nx x lanes   bytes, 255 = probability 1; lanes a multiple of 16, unused ones 0;
//                                     the outermost shell of voxels holds what applies outside the grid
//   positions  n x 3                  in voxels of `prior` (x, y, z); clamped into the volume
//   bins       n                      row of `table`
//   table      bins x lanes           p(intensity bin | group)
//   floor      bins                   alpha * sum over groups of table, added to the interpolated sum
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const uint8_t *prior;
  int32_t lanes, nx, ny, nz;
} segpipe_prior;

// f = (sum_g a_g(p) table[bin][g] + floor[bin]), at least 1e-37; adds log f over the samples (the return
// value), and writes d log f / d position, in 1/voxel, to `gradients` (n x 3) unless it is NULL, and f to
// `likelihoods` (n) unless it is NULL.
double segpipe_prior_likelihood(segpipe_prior prior, const float *positions, const uint16_t *bins,
                                size_t n, const float *table, const float *floor, float *gradients,
                                float *likelihoods);

// Adds each sample's posterior over groups, a_g(p) table[bin][g] / f, to histogram[bin][g]
// (bins x lanes) and returns the sum of log f. `alpha` is the probability added to every lane whose
// `live` is 1 (lanes).
double segpipe_prior_histogram(segpipe_prior prior, const float *positions, const uint16_t *bins,
                               size_t n, const float *table, const float *live, float alpha,
                               float *histogram);

// Interpolates a sparse prior over labels and multiplies it with the likelihood.

#include "include/label_posterior.h"

#include <math.h>
#include <string.h>

#include "multiversion.h"

enum { MOST_LABELS = 256 };

MULTIVERSION
double segpipe_label_posterior(segpipe_sparse_prior prior, const float *positions,
                               const uint16_t *bins, size_t n, const float *table, int32_t lanes,
                               const uint8_t *group_of, float alpha, float padding_alpha,
                               uint8_t *best, float *posteriors) {
  const int32_t labels = prior.labels;
  const float scale = 1.0f / 255.0f;
  float sums[MOST_LABELS];
  double total = 0;
  for (size_t j = 0; j < n; j++) {
    for (int32_t k = 0; k < labels; k++) sums[k] = alpha;
    if (bins[j] == 0) sums[0] = padding_alpha;
    const float px = positions[3 * j], py = positions[3 * j + 1], pz = positions[3 * j + 2];
    float outside = 0;
    if (px > -1.0f && py > -1.0f && pz > -1.0f && px < (float)prior.nx && py < (float)prior.ny &&
        pz < (float)prior.nz) {
      const int32_t x = (int32_t)floorf(px), y = (int32_t)floorf(py), z = (int32_t)floorf(pz);
      const float fx = px - (float)x, fy = py - (float)y, fz = pz - (float)z;
      for (int32_t corner = 0; corner < 8; corner++) {
        const int32_t cx = x + (corner & 1), cy = y + (corner >> 1 & 1), cz = z + (corner >> 2);
        const float w = (corner & 1 ? fx : 1 - fx) * (corner & 2 ? fy : 1 - fy) *
                        (corner & 4 ? fz : 1 - fz);
        if (cx < 0 || cy < 0 || cz < 0 || cx >= prior.nx || cy >= prior.ny || cz >= prior.nz) {
          outside += w;
          continue;
        }
        const size_t voxel =
            ((size_t)cz * (size_t)prior.ny + (size_t)cy) * (size_t)prior.nx + (size_t)cx;
        const uint32_t end = prior.starts[voxel + 1];
        for (uint32_t e = prior.starts[voxel]; e < end; e++)
          sums[prior.entries[e] >> 8] += w * scale * (float)(prior.entries[e] & 255);
      }
    } else {
      outside = 1;
    }
    if (outside > 0)
      for (int32_t k = 0; k < labels; k++) sums[k] += outside * prior.outside[k];
    const float *likelihood = table + (size_t)bins[j] * (size_t)lanes;
    float sum = 0, highest = -1;
    int32_t winner = 0;
    for (int32_t k = 0; k < labels; k++) {
      sums[k] *= likelihood[group_of[k]];
      sum += sums[k];
    }
    for (int32_t k = 0; k < labels; k++) {
      if (sums[k] > highest) {
        highest = sums[k];
        winner = k;
      }
    }
    best[j] = (uint8_t)winner;
    const float f = sum / (1 + (float)(labels - 1) * alpha + (bins[j] == 0 ? padding_alpha : alpha));
    total += (double)logf(f > 1e-37f ? f : 1e-37f);
    if (posteriors) {
      const float factor = sum > 0 ? 1 / sum : 0;
      for (int32_t k = 0; k < labels; k++)
        posteriors[j * (size_t)labels + (size_t)k] = sums[k] * factor;
    }
  }
  return total;
}

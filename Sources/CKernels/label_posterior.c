// Interpolates a sparse prior over labels and multiplies it with the likelihood.

#include "include/label_posterior.h"

#include <math.h>
#include <string.h>

#include "multiversion.h"

enum { MOST_LABELS = 256 };

MULTIVERSION
void segpipe_label_posterior(segpipe_sparse_prior prior, const float *positions,
                             const uint16_t *bins, size_t n, const float *table, int32_t lanes,
                             const uint8_t *group_of, float alpha, float padding_alpha,
                             uint8_t *best, float *posteriors, float *sums) {
  const int32_t labels = prior.labels;
  const float scale = 1.0f / 255.0f;
  float products[MOST_LABELS];
  for (size_t j = 0; j < n; j++) {
    const float px = positions[3 * j], py = positions[3 * j + 1], pz = positions[3 * j + 2];
    const float *likelihood = table + (size_t)bins[j] * (size_t)lanes;
    const int inside = px > -1.0f && py > -1.0f && pz > -1.0f && px < (float)prior.nx &&
                       py < (float)prior.ny && pz < (float)prior.nz;
    size_t corners[8];
    float weights[8];
    int32_t found = 0;
    float outside = 1;
    if (inside) {
      const int32_t x = (int32_t)floorf(px), y = (int32_t)floorf(py), z = (int32_t)floorf(pz);
      const float fx = px - (float)x, fy = py - (float)y, fz = pz - (float)z;
      outside = 0;
      for (int32_t corner = 0; corner < 8; corner++) {
        const int32_t cx = x + (corner & 1), cy = y + (corner >> 1 & 1), cz = z + (corner >> 2);
        const float w =
            (corner & 1 ? fx : 1 - fx) * (corner & 2 ? fy : 1 - fy) * (corner & 4 ? fz : 1 - fz);
        if (cx < 0 || cy < 0 || cz < 0 || cx >= prior.nx || cy >= prior.ny || cz >= prior.nz) {
          outside += w;
          continue;
        }
        corners[found] = ((size_t)cz * (size_t)prior.ny + (size_t)cy) * (size_t)prior.nx + (size_t)cx;
        weights[found++] = w;
      }
    }
    if (!posteriors && found == 8) {
      // One label at all corners, and a likelihood that no other label's alpha can overcome.
      const uint16_t first = prior.entries[prior.starts[corners[0]]];
      int alone = (first & 255) == 255;
      for (int32_t c = 0; alone && c < 8; c++)
        alone = prior.entries[prior.starts[corners[c]]] == first;
      if (alone && (bins[j] != 0 || first >> 8 == 0)) {
        float highest = 0;
        for (int32_t g = 0; g < lanes; g++)
          highest = likelihood[g] > highest ? likelihood[g] : highest;
        if (likelihood[group_of[first >> 8]] > alpha * highest) {
          best[j] = (uint8_t)(first >> 8);
          sums[first >> 8] += 1;
          continue;
        }
      }
    }
    for (int32_t k = 0; k < labels; k++) products[k] = alpha + outside * prior.outside[k];
    if (bins[j] == 0) products[0] += padding_alpha - alpha;
    for (int32_t c = 0; c < found; c++) {
      const uint32_t end = prior.starts[corners[c] + 1];
      const float w = weights[c] * scale;
      for (uint32_t e = prior.starts[corners[c]]; e < end; e++)
        products[prior.entries[e] >> 8] += w * (float)(prior.entries[e] & 255);
    }
    float sum = 0, highest = -1;
    int32_t winner = 0;
    for (int32_t k = 0; k < labels; k++) {
      products[k] *= likelihood[group_of[k]];
      sum += products[k];
    }
    for (int32_t k = 0; k < labels; k++) {
      if (products[k] > highest) {
        highest = products[k];
        winner = k;
      }
    }
    best[j] = (uint8_t)winner;
    const float factor = sum > 0 ? 1 / sum : 0;
    for (int32_t k = 0; k < labels; k++) sums[k] += products[k] * factor;
    if (posteriors)
      for (int32_t k = 0; k < labels; k++)
        posteriors[j * (size_t)labels + (size_t)k] = products[k] * factor;
  }
}

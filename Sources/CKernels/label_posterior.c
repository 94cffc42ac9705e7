// Interpolates a sparse prior over labels and multiplies it with the likelihood.

#include "include/label_posterior.h"

#include <math.h>
#include <string.h>

#include "multiversion.h"

enum { MOST_LABELS = 256 };

// Voxels around a position that the grid has, with their shares; what is left lies outside.
typedef struct {
  size_t voxels[8];
  float weights[8];
  int32_t found;
  float outside;
} surroundings;

static inline __attribute__((always_inline)) surroundings around(segpipe_sparse_prior prior,
                                                                 const float *position) {
  const float px = position[0], py = position[1], pz = position[2];
  surroundings s;
  s.found = 0;
  s.outside = 1;
  if (!(px > -1.0f && py > -1.0f && pz > -1.0f && px < (float)prior.nx && py < (float)prior.ny &&
        pz < (float)prior.nz))
    return s;
  const int32_t x = (int32_t)floorf(px), y = (int32_t)floorf(py), z = (int32_t)floorf(pz);
  const float fx = px - (float)x, fy = py - (float)y, fz = pz - (float)z;
  s.outside = 0;
  for (int32_t corner = 0; corner < 8; corner++) {
    const int32_t cx = x + (corner & 1), cy = y + (corner >> 1 & 1), cz = z + (corner >> 2);
    const float w =
        (corner & 1 ? fx : 1 - fx) * (corner & 2 ? fy : 1 - fy) * (corner & 4 ? fz : 1 - fz);
    if (cx < 0 || cy < 0 || cz < 0 || cx >= prior.nx || cy >= prior.ny || cz >= prior.nz) {
      s.outside += w;
      continue;
    }
    s.voxels[s.found] =
        ((size_t)cz * (size_t)prior.ny + (size_t)cy) * (size_t)prior.nx + (size_t)cx;
    s.weights[s.found++] = w;
  }
  return s;
}

// Whether one label has all of the prior at all of eight voxels: its entry, or 0.
static inline __attribute__((always_inline)) uint16_t alone(segpipe_sparse_prior prior,
                                                            const surroundings *s) {
  if (s->found < 8) return 0;
  const uint16_t first = prior.entries[prior.starts[s->voxels[0]]];
  if ((first & 255) != 255) return 0;
  for (int32_t c = 1; c < 8; c++)
    if (prior.entries[prior.starts[s->voxels[c]]] != first) return 0;
  return first;
}

MULTIVERSION
size_t segpipe_sparse_posterior(segpipe_sparse_prior prior, const float *positions,
                                const uint16_t *bins, size_t n, const float *table, int32_t lanes,
                                const uint8_t *group_of, float padding_alpha, float least,
                                uint8_t *counts, uint8_t *labels, float *values) {
  const float scale = 1.0f / 255.0f;
  float sums[MOST_LABELS] = {0};
  size_t total = 0;
  for (size_t j = 0; j < n; j++) {
    const surroundings s = around(prior, positions + 3 * j);
    const uint16_t only = alone(prior, &s);
    const int padding = bins && bins[j] == 0;
    if (only && (!padding || only >> 8 == 0)) {
      counts[j] = 1;
      labels[total] = (uint8_t)(only >> 8);
      values[total++] = 1;
      continue;
    }
    uint64_t met[MOST_LABELS / 64] = {0};
    for (int32_t c = 0; c < s.found; c++) {
      const uint32_t end = prior.starts[s.voxels[c] + 1];
      for (uint32_t e = prior.starts[s.voxels[c]]; e < end; e++) {
        const uint32_t k = prior.entries[e] >> 8;
        sums[k] += s.weights[c] * scale * (float)(prior.entries[e] & 255);
        met[k / 64] |= (uint64_t)1 << k % 64;
      }
    }
    for (int32_t k = 0; s.outside > 0 && k < prior.labels; k++) {
      sums[k] += s.outside * prior.outside[k];
      met[k / 64] |= (uint64_t)1 << k % 64;
    }
    if (padding) {
      sums[0] += padding_alpha;
      met[0] |= 1;
    }
    const size_t first = total;
    for (uint32_t word = 0; word < MOST_LABELS / 64; word++)
      for (uint64_t left = met[word]; left; left &= left - 1) {
        const uint32_t k = word * 64 + (uint32_t)__builtin_ctzll(left);
        if (sums[k] > least) {
          labels[total] = (uint8_t)k;
          values[total++] = sums[k];
        }
        sums[k] = 0;
      }
    counts[j] = (uint8_t)(total - first);
    if (!bins) continue;
    const float *likelihood = table + (size_t)bins[j] * (size_t)lanes;
    float sum = 0;
    for (size_t i = first; i < total; i++) {
      values[i] *= likelihood[group_of[labels[i]]];
      sum += values[i];
    }
    const float factor = sum > 0 ? 1 / sum : 0;
    for (size_t i = first; i < total; i++) values[i] *= factor;
  }
  return total;
}

MULTIVERSION
void segpipe_label_posterior(segpipe_sparse_prior prior, const float *positions,
                             const uint16_t *bins, size_t n, const float *table, int32_t lanes,
                             const uint8_t *group_of, float alpha, float padding_alpha,
                             uint8_t *best, float *posteriors, float *sums) {
  const int32_t labels = prior.labels;
  const float scale = 1.0f / 255.0f;
  float products[MOST_LABELS];
  for (size_t j = 0; j < n; j++) {
    const float *likelihood = table + (size_t)bins[j] * (size_t)lanes;
    const surroundings s = around(prior, positions + 3 * j);
    if (!posteriors) {
      // One label at all corners, and a likelihood that no other label's alpha can overcome.
      const uint16_t first = alone(prior, &s);
      if (first && (bins[j] != 0 || first >> 8 == 0)) {
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
    for (int32_t k = 0; k < labels; k++) products[k] = alpha + s.outside * prior.outside[k];
    if (bins[j] == 0) products[0] += padding_alpha - alpha;
    for (int32_t c = 0; c < s.found; c++) {
      const uint32_t end = prior.starts[s.voxels[c] + 1];
      const float w = s.weights[c] * scale;
      for (uint32_t e = prior.starts[s.voxels[c]]; e < end; e++)
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

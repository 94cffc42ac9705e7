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

// A set of labels.
typedef struct {
  uint64_t words[MOST_LABELS / 64];
} label_set;

static inline __attribute__((always_inline)) void insert(label_set *set, uint32_t label) {
  set->words[label / 64] |= (uint64_t)1 << label % 64;
}

// Takes the lowest label out of a set that is not empty from `word` on; MOST_LABELS if it is.
static inline __attribute__((always_inline)) uint32_t take(label_set *set, uint32_t *word) {
  while (*word < MOST_LABELS / 64 && !set->words[*word]) ++*word;
  if (*word == MOST_LABELS / 64) return MOST_LABELS;
  const uint32_t label = *word * 64 + (uint32_t)__builtin_ctzll(set->words[*word]);
  set->words[*word] &= set->words[*word] - 1;
  return label;
}

// Adds the interpolated prior to `sums` (0 before); returns the labels that have any.
static inline __attribute__((always_inline)) label_set interpolate(segpipe_sparse_prior prior,
                                                                   const surroundings *s,
                                                                   float *sums) {
  label_set met = {{0}};
  for (int32_t c = 0; c < s->found; c++) {
    const uint32_t end = prior.starts[s->voxels[c] + 1];
    const float w = s->weights[c] * (1.0f / 255.0f);
    for (uint32_t e = prior.starts[s->voxels[c]]; e < end; e++) {
      const uint32_t k = prior.entries[e] >> 8;
      sums[k] += w * (float)(prior.entries[e] & 255);
      insert(&met, k);
    }
  }
  for (uint32_t k = 0; s->outside > 0 && k < (uint32_t)prior.labels; k++) {
    sums[k] += s->outside * prior.outside[k];
    insert(&met, k);
  }
  return met;
}

MULTIVERSION
size_t segpipe_sparse_posterior(segpipe_sparse_prior prior, const float *positions,
                                const uint16_t *bins, size_t n, segpipe_label_likelihood likelihood,
                                float padding_alpha, float least, uint8_t *counts, uint8_t *labels,
                                float *values) {
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
    label_set met = interpolate(prior, &s, sums);
    if (padding) {
      sums[0] += padding_alpha;
      insert(&met, 0);
    }
    const size_t first = total;
    uint32_t word = 0;
    for (uint32_t k = take(&met, &word); k < MOST_LABELS; k = take(&met, &word)) {
      if (sums[k] > least) {
        labels[total] = (uint8_t)k;
        values[total++] = sums[k];
      }
      sums[k] = 0;
    }
    counts[j] = (uint8_t)(total - first);
    if (!bins) continue;
    const float *own = likelihood.values + (size_t)bins[j] * (size_t)likelihood.lanes;
    float sum = 0;
    for (size_t i = first; i < total; i++) {
      values[i] *= own[likelihood.column_of[labels[i]]];
      sum += values[i];
    }
    const float factor = sum > 0 ? 1 / sum : 0;
    for (size_t i = first; i < total; i++) values[i] *= factor;
  }
  return total;
}

MULTIVERSION
void segpipe_label_posterior(segpipe_sparse_prior prior, const float *positions,
                             const uint16_t *bins, size_t n, segpipe_label_likelihood likelihood,
                             float alpha, float padding_alpha, uint8_t *best, float *posteriors,
                             float *sums) {
  const int32_t labels = prior.labels;
  const uint8_t *column_of = likelihood.column_of;
  float products[MOST_LABELS], interpolated[MOST_LABELS] = {0};
  // Padding beyond the grid is all alike: its label and posterior, and how many voxels have it.
  float beyond[MOST_LABELS];
  uint8_t label_beyond = 0;
  size_t count_beyond = 0;
  for (size_t j = 0; j < n; j++) {
    const float *own = likelihood.values + (size_t)bins[j] * (size_t)likelihood.lanes;
    const float rare = alpha * likelihood.highest[bins[j]];
    const surroundings s = around(prior, positions + 3 * j);
    if (!posteriors) {
      // One label at all corners, and a likelihood that no other label's alpha can overcome.
      const uint16_t first = alone(prior, &s);
      if (first && (bins[j] != 0 || first >> 8 == 0) && own[column_of[first >> 8]] > rare) {
        best[j] = (uint8_t)(first >> 8);
        sums[first >> 8] += 1;
        continue;
      }
    }
    const int is_beyond = s.found == 0 && bins[j] == 0 && !posteriors;
    if (is_beyond && count_beyond++) {
      best[j] = label_beyond;
      continue;
    }
    label_set met = interpolate(prior, &s, interpolated);
    if (bins[j] == 0) {
      interpolated[0] += padding_alpha - alpha;
      insert(&met, 0);
    }
    float sum = 0, highest = -1;
    int32_t winner = 0;
    if (!posteriors && !is_beyond) {
      // Labels that have a prior, and alpha's share of all.
      uint32_t word = 0;
      label_set left = met;
      for (uint32_t k = take(&left, &word); k < MOST_LABELS; k = take(&left, &word)) {
        products[k] = (interpolated[k] + alpha) * own[column_of[k]];
        sum += interpolated[k] * own[column_of[k]];
        if (products[k] > highest) {
          highest = products[k];
          winner = (int32_t)k;
        }
      }
      sum += alpha * likelihood.total[bins[j]];
      if (highest > rare) {
        best[j] = (uint8_t)winner;
        word = 0;
        for (uint32_t k = take(&met, &word); k < MOST_LABELS; k = take(&met, &word)) {
          sums[k] += products[k] / sum;
          interpolated[k] = 0;
        }
        continue;
      }
      sum = 0;
      highest = -1;
      winner = 0;
    }
    for (int32_t k = 0; k < labels; k++) {
      products[k] = interpolated[k] + alpha;
      interpolated[k] = 0;
    }
    for (int32_t k = 0; k < labels; k++) {
      products[k] *= own[column_of[k]];
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
    if (is_beyond) {
      for (int32_t k = 0; k < labels; k++) beyond[k] = products[k] * factor;
      label_beyond = best[j];
      continue;
    }
    for (int32_t k = 0; k < labels; k++) sums[k] += products[k] * factor;
    if (posteriors)
      for (int32_t k = 0; k < labels; k++)
        posteriors[j * (size_t)labels + (size_t)k] = products[k] * factor;
  }
  for (int32_t k = 0; count_beyond > 0 && k < labels; k++)
    sums[k] += (float)count_beyond * beyond[k];
}

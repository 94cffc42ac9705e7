// Trilinear interpolation of a byte-valued prior fused with the likelihood it is read for.

#include "include/prior_likelihood.h"

#include <math.h>
#include <string.h>

#include "multiversion.h"

enum { BLOCK = 16 };
typedef float block __attribute__((vector_size(64)));
typedef uint8_t bytes __attribute__((vector_size(16)));

#define LOAD_BYTES(target, address)                  \
  do {                                               \
    bytes raw_;                                      \
    memcpy(&raw_, (address), sizeof raw_);           \
    (target) = __builtin_convertvector(raw_, block); \
  } while (0)

#define LOAD_BLOCK(target, address) memcpy(&(target), (address), sizeof(block))

typedef float half __attribute__((vector_size(32)));
typedef float quarter __attribute__((vector_size(16)));

// Declares the sums of each fourth number of a vector: the first two steps of SUM_BLOCK.
#define QUARTER(name, v)                                                           \
  half name##2_ = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +          \
                  __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);     \
  quarter name = __builtin_shufflevector(name##2_, name##2_, 0, 1, 2, 3) +         \
                 __builtin_shufflevector(name##2_, name##2_, 4, 5, 6, 7)

// Declares one step more for two vectors, whose numbers then take turns.
#define PAIR(name, p, q)                                          \
  quarter name = __builtin_shufflevector(p, q, 0, 4, 1, 5) +      \
                 __builtin_shufflevector(p, q, 2, 6, 3, 7)

// SUM_BLOCK of four vectors at once, with the same rounding.
#define SUM_BLOCKS(result, a, b, c, d)                                  \
  do {                                                                  \
    QUARTER(a_, a);                                                     \
    QUARTER(b_, b);                                                     \
    QUARTER(c_, c);                                                     \
    QUARTER(d_, d);                                                     \
    PAIR(ab_, a_, b_);                                                  \
    PAIR(cd_, c_, d_);                                                  \
    (result) = __builtin_shufflevector(ab_, cd_, 0, 1, 4, 5) +          \
               __builtin_shufflevector(ab_, cd_, 2, 3, 6, 7);           \
  } while (0)

#define SUM_BLOCK(result, vector)                               \
  do {                                                          \
    float parts_[BLOCK];                                        \
    memcpy(parts_, &(vector), sizeof parts_);                   \
    for (int half_ = BLOCK / 2; half_ > 0; half_ /= 2)          \
      for (int i_ = 0; i_ < half_; i_++) parts_[i_] += parts_[i_ + half_]; \
    (result) = parts_[0];                                       \
  } while (0)

// Cell and fractions of a position, clamped so that all eight corners exist. Positions that are not
// numbers land on the first cell.
#define LOCATE(position, extent, cell, fraction)                         \
  do {                                                                   \
    float p_ = (position);                                               \
    float last_ = (float)(extent) - 1.001f;                              \
    p_ = p_ > 0.0f ? p_ : 0.0f;                                          \
    p_ = p_ < last_ ? p_ : last_;                                        \
    (cell) = (int32_t)p_;                                                \
    (fraction) = p_ - (float)(cell);                                     \
  } while (0)

// Declares the cell of a position: its first corner's lanes, and the fractions fx, fy, fz within it.
#define FIND_CELL(position)                                                              \
  int32_t x, y, z;                                                                       \
  float fx, fy, fz;                                                                      \
  LOCATE((position)[0], prior.nx, x, fx);                                                \
  LOCATE((position)[1], prior.ny, y, fy);                                                \
  LOCATE((position)[2], prior.nz, z, fz);                                                \
  const uint8_t *corner = prior.prior + (size_t)z * slice + (size_t)y * row + (size_t)x * lanes

// Declares what lanes g ..< g + BLOCK of the cell give, along x first (differences d, values e), then along y
// (h0 and h1, on the two faces along z).
#define INTERPOLATE(g)                                                                \
  block c000, c100, c010, c110, c001, c101, c011, c111;                               \
  LOAD_BYTES(c000, corner + (g));                                                     \
  LOAD_BYTES(c100, corner + lanes + (g));                                             \
  LOAD_BYTES(c010, corner + row + (g));                                               \
  LOAD_BYTES(c110, corner + row + lanes + (g));                                       \
  LOAD_BYTES(c001, corner + slice + (g));                                             \
  LOAD_BYTES(c101, corner + slice + lanes + (g));                                     \
  LOAD_BYTES(c011, corner + slice + row + (g));                                       \
  LOAD_BYTES(c111, corner + slice + row + lanes + (g));                               \
  block d00 = c100 - c000, d10 = c110 - c010, d01 = c101 - c001, d11 = c111 - c011;   \
  block e00 = c000 + fx * d00, e10 = c010 + fx * d10;                                 \
  block e01 = c001 + fx * d01, e11 = c011 + fx * d11;                                 \
  block h0 = e00 + fy * (e10 - e00), h1 = e01 + fy * (e11 - e01)

// Least likelihood of a sample: keeps logarithms finite.
static const float LEAST = 1e-37f;

// Multiplies `product` by f, at least LEAST; moves its logarithm to `total` before it leaves the range of a
// double. One logarithm then serves several samples.
#define ADD_LOG(total, product, f)                   \
  do {                                               \
    (product) *= (double)((f) > LEAST ? (f) : LEAST); \
    if ((product) < 1e-250 || (product) > 1e250) {   \
      (total) += log(product);                       \
      (product) = 1;                                 \
    }                                                \
  } while (0)

static inline __attribute__((always_inline)) double likelihood(
    segpipe_prior prior, const float *positions, const uint16_t *bins, size_t n, const float *table,
    const float *floor, float *gradients, float *likelihoods) {
  const size_t lanes = (size_t)prior.lanes;
  const size_t row = (size_t)prior.nx * lanes, slice = (size_t)prior.ny * row;
  double total = 0, product = 1;
  for (size_t j = 0; j < n; j++) {
    FIND_CELL(positions + 3 * j);
    const float *likelihood = table + (size_t)bins[j] * lanes;
    block value = {0}, along_x = {0}, along_y = {0}, along_z = {0};
    for (size_t g = 0; g < lanes; g += BLOCK) {
      block l;
      LOAD_BLOCK(l, likelihood + g);
      INTERPOLATE(g);
      value += l * (h0 + fz * (h1 - h0));
      if (gradients) {
        block g0 = d00 + fy * (d10 - d00), g1 = d01 + fy * (d11 - d01);
        along_x += l * (g0 + fz * (g1 - g0));
        along_y += l * ((e10 - e00) + fz * ((e11 - e01) - (e10 - e00)));
        along_z += l * (h1 - h0);
      }
    }
    const float scale = 1.0f / 255.0f;
    float sum;
    quarter slopes = {0};
    if (gradients) {
      SUM_BLOCKS(slopes, along_x, along_y, along_z, value);
      sum = slopes[3];
    } else {
      SUM_BLOCK(sum, value);
    }
    float f = sum * scale + floor[bins[j]];
    ADD_LOG(total, product, f);
    if (likelihoods) likelihoods[j] = f > LEAST ? f : LEAST;
    if (gradients) {
      slopes *= f > LEAST ? scale / f : 0.0f;
      memcpy(gradients + 3 * j, &slopes, 3 * sizeof(float));
    }
  }
  return total + log(product);
}

MULTIVERSION
double segpipe_prior_likelihood(segpipe_prior prior, const float *positions, const uint16_t *bins,
                                size_t n, const float *table, const float *floor, float *gradients,
                                float *likelihoods) {
  // Each of the two is made by itself, without looking at what is asked for sample by sample.
  return gradients
             ? likelihood(prior, positions, bins, n, table, floor, gradients, likelihoods)
             : likelihood(prior, positions, bins, n, table, floor, NULL, likelihoods);
}

MULTIVERSION
double segpipe_prior_histogram(segpipe_prior prior, const float *positions, const uint16_t *bins,
                               size_t n, const float *table, const float *live, float alpha,
                               float *histogram) {
  enum { MOST = 16 };
  const size_t lanes = (size_t)prior.lanes;
  const size_t row = (size_t)prior.nx * lanes, slice = (size_t)prior.ny * row;
  double total = 0, product = 1;
  for (size_t j = 0; j < n; j++) {
    FIND_CELL(positions + 3 * j);
    const float *likelihood = table + (size_t)bins[j] * lanes;
    const float scale = 1.0f / 255.0f;
    block sums = {0};
    block kept[MOST];
    for (size_t g = 0; g < lanes; g += BLOCK) {
      block l, alive;
      LOAD_BLOCK(l, likelihood + g);
      LOAD_BLOCK(alive, live + g);
      INTERPOLATE(g);
      block joint = l * ((h0 + fz * (h1 - h0)) * scale + alpha * alive);
      kept[g / BLOCK % MOST] = joint;
      sums += joint;
    }
    float f;
    SUM_BLOCK(f, sums);
    ADD_LOG(total, product, f);
    if (!(f > LEAST)) continue;
    float factor = 1.0f / f;
    float *target = histogram + (size_t)bins[j] * lanes;
    for (size_t g = 0; g < lanes; g += BLOCK) {
      block old;
      LOAD_BLOCK(old, target + g);
      old += factor * kept[g / BLOCK % MOST];
      memcpy(target + g, &old, sizeof old);
    }
  }
  return total + log(product);
}

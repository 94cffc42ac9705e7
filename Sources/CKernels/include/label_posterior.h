// Posterior over labels at arbitrary positions, from a sparse location prior.
#pragma once
#include <stddef.h>
#include <stdint.h>

// A sparse location prior on a grid of nx x ny x nz voxels (x fastest): voxel v has the entries
// starts[v] ..< starts[v + 1], each (label << 8 | probability in 1/255). `outside` (labels) holds the
// probabilities that apply beyond the grid.
typedef struct {
  const uint32_t *starts;
  const uint16_t *entries;
  const float *outside;
  int32_t labels, nx, ny, nz;
} segpipe_sparse_prior;

// The likelihood of label k in row r is values[r x lanes + column_of[k]]; `highest` is the largest of a row over
// all labels, `total` their sum.
typedef struct {
  const float *values, *highest, *total;
  const uint8_t *column_of;
  int32_t lanes;
} segpipe_label_likelihood;

// For n positions (n x 3, voxels of the prior's grid): prior_k = interpolated a_k + alpha, with
// padding_alpha in place of alpha for label 0 in row 0 (voxels that are exactly zero), and posterior_k
// proportional to prior_k times the likelihood of label k in row bins (n).
//
// Writes the most probable label to `best` (n; the lowest wins a tie) and, unless NULL, the posteriors to
// `posteriors` (n x labels), and adds the sum of the posteriors of each label to `sums` (labels). Where
// posteriors are not asked for, labels that have no prior but alpha may be left out of `sums`.
void segpipe_label_posterior(segpipe_sparse_prior prior, const float *positions,
                             const uint16_t *bins, size_t n, segpipe_label_likelihood likelihood,
                             float alpha, float padding_alpha, uint8_t *best, float *posteriors,
                             float *sums);

// For n positions (n x 3, voxels of the prior's grid), the labels whose interpolated prior, with padding_alpha
// for label 0 in row 0, is above `least`, and their posteriors as above but without alpha; without `bins`, their
// priors, whatever the likelihood. How many labels there are at each position goes to `counts` (n); they themselves, one position after
// another and ascending at each, to `labels`, and their probabilities to `values` (each up to n x labels).
// Returns how many there are in all.
size_t segpipe_sparse_posterior(segpipe_sparse_prior prior, const float *positions,
                                const uint16_t *bins, size_t n, segpipe_label_likelihood likelihood,
                                float padding_alpha, float least, uint8_t *counts, uint8_t *labels,
                                float *values);

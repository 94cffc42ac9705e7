// The functions that exist once per instruction set.
#pragma once
#include "networks.h"

typedef struct {
  void (*exp)(const float *, float *, size_t);
  void (*elu)(float *, size_t);
  void (*elu_backward)(const float *, float *, size_t, float *);
  void (*add)(const float *, float *, size_t);
  double (*sum_of_squares)(const float *, size_t);
  void (*adam_step)(const segpipe_adam *, float *, const float *, float *, float *, size_t);
  void (*gather_forward)(const segpipe_gather *, const uint8_t *, const float *, const float *,
                         float *, size_t, size_t);
  void (*gather_backward)(const segpipe_gather *, const uint8_t *, const float *, float *, size_t,
                          size_t);
  double (*output_loss)(const segpipe_output *, const segpipe_loss *, float *, float *, size_t,
                        size_t);
  void (*output_decode)(const segpipe_output *, const float *, uint8_t *, float *, size_t, size_t);
  void (*output_probabilities)(const segpipe_output *, const float *, float *, size_t, size_t);
  void (*down)(const segpipe_convolution *, const segpipe_span *, const float *, const float *,
               const float *, float *, size_t, size_t);
  void (*up)(const segpipe_convolution *, const segpipe_span *, const float *, const float *,
             const float *, float *, size_t, size_t);
  void (*weights)(const segpipe_convolution *, const float *, const float *, float *, size_t,
                  size_t);
  double (*warped_loss)(const segpipe_warped *, const segpipe_observed *, float *, float *, size_t);
  void (*warped_row)(const segpipe_warped *, size_t, size_t, float *, float *);
  void (*product)(const float *, const float *, float *, size_t, size_t);
  void (*tiles)(const segpipe_convolution *, const segpipe_span *, const float *, const float *,
                const float *, float *, size_t, size_t);
} kernel_table;

extern const kernel_table kernels_baseline, kernels_avx2, kernels_avx512;

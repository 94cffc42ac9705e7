// Chooses the instruction set once, and hands every call on.
#include "table.h"
#include <stdatomic.h>

static _Atomic(int) limit = 2;

int segpipe_kernel_level(void) {
  int level = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) level = 1;
  if (level == 1 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
    level = 2;
#endif
  const int allowed = atomic_load(&limit);
  return level < allowed ? level : allowed;
}

void segpipe_limit_kernel_level(int level) { atomic_store(&limit, level); }

static const kernel_table *kernels(void) {
#if defined(__x86_64__)
  const int level = segpipe_kernel_level();
  if (level == 2) return &kernels_avx512;
  if (level == 1) return &kernels_avx2;
#endif
  return &kernels_baseline;
}

void segpipe_exp(const float *in, float *out, size_t count) { kernels()->exp(in, out, count); }

void segpipe_elu(float *x, size_t count) { kernels()->elu(x, count); }

void segpipe_elu_backward(const float *y, float *gradient, size_t count, float sum[16]) {
  kernels()->elu_backward(y, gradient, count, sum);
}

void segpipe_add(const float *x, float *y, size_t count) { kernels()->add(x, y, count); }

double segpipe_sum_of_squares(const float *x, size_t count) {
  return kernels()->sum_of_squares(x, count);
}

void segpipe_adam_step(const segpipe_adam *adam, float *weights, const float *gradient,
                       float *first, float *second, size_t count) {
  kernels()->adam_step(adam, weights, gradient, first, second, count);
}

void segpipe_gather_forward(const segpipe_gather *shape, const uint8_t *labels, const float *table,
                            const float *bias, float *out, size_t first, size_t last) {
  kernels()->gather_forward(shape, labels, table, bias, out, first, last);
}

void segpipe_gather_backward(const segpipe_gather *shape, const uint8_t *labels,
                             const float *gradient, float *table, size_t first, size_t last) {
  kernels()->gather_backward(shape, labels, gradient, table, first, last);
}

void segpipe_convolution_down(const segpipe_convolution *shape, const segpipe_span *spans,
                              const float *wide, const float *packed, const float *bias,
                              float *narrow, size_t first, size_t last) {
  kernels()->down(shape, spans, wide, packed, bias, narrow, first, last);
}

void segpipe_convolution_up(const segpipe_convolution *shape, const segpipe_span *spans,
                            const float *narrow, const float *packed, const float *bias,
                            float *wide, size_t first, size_t last) {
  kernels()->up(shape, spans, narrow, packed, bias, wide, first, last);
}

void segpipe_convolution_tiles(const segpipe_convolution *shape, const segpipe_span *spans,
                               const float *wide, const float *packed, const float *bias,
                               float *narrow, size_t first, size_t last) {
  kernels()->tiles(shape, spans, wide, packed, bias, narrow, first, last);
}

void segpipe_convolution_weights(const segpipe_convolution *shape, const float *wide,
                                 const float *narrow, float *packed, size_t first, size_t last) {
  kernels()->weights(shape, wide, narrow, packed, first, last);
}

void segpipe_product(const float *a, const float *b, float *c, size_t rows, size_t depth) {
  kernels()->product(a, b, c, rows, depth);
}

double segpipe_output_loss(const segpipe_output *layer, const segpipe_loss *loss, float *features,
                           float *partial, size_t first, size_t last) {
  return kernels()->output_loss(layer, loss, features, partial, first, last);
}

void segpipe_output_decode(const segpipe_output *layer, const float *features, uint8_t *argmax,
                           float *log_normaliser, size_t first, size_t last) {
  kernels()->output_decode(layer, features, argmax, log_normaliser, first, last);
}

void segpipe_output_probabilities(const segpipe_output *layer, const float *features,
                                  float *probabilities, size_t first, size_t last) {
  kernels()->output_probabilities(layer, features, probabilities, first, last);
}

double segpipe_warped_loss(const segpipe_warped *warped, const segpipe_observed *observed,
                           float *shifts, float *logits, size_t slab) {
  return kernels()->warped_loss(warped, observed, shifts, logits, slab);
}

void segpipe_warped_row(const segpipe_warped *warped, size_t z, size_t y, float *probabilities,
                        float *log_normaliser) {
  kernels()->warped_row(warped, z, y, probabilities, log_normaliser);
}

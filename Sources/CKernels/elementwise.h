// Elementwise kernels. Included once per instruction set; see levels.h.

static void LEVEL(exp)(const float *in, float *out, size_t count) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) store(out + i, exponential(load(in + i)));
  for (; i < count; i++) out[i] = exponential(splat(in[i]))[0];
}

static void LEVEL(elu)(float *x, size_t count) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) store(x + i, elu(load(x + i)));
  for (; i < count; i++) x[i] = elu(splat(x[i]))[0];
}

static void LEVEL(elu_backward)(const float *y, float *gradient, size_t count, float sum[16]) {
  lanes s = load(sum);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    lanes g = load(gradient + i) * elu_slope(load(y + i));
    store(gradient + i, g);
    s += g;
  }
  store(sum, s);
  for (; i < count; i++) {
    gradient[i] *= y[i] > 0 ? 1.0f : y[i] + 1.0f;
    sum[i % 16] += gradient[i];
  }
}

static void LEVEL(add)(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += x[i];
}

static double LEVEL(sum_of_squares)(const float *x, size_t count) {
  double sum = 0;
  size_t i = 0;
  while (i + 16 <= count) {
    lanes partial = splat(0);
    size_t end = i + 1024 < count ? i + 1024 : count;
    for (; i + 16 <= end; i += 16) partial += load(x + i) * load(x + i);
    sum += total(partial);
  }
  for (; i < count; i++) sum += (double)x[i] * x[i];
  return sum;
}

static void LEVEL(adam_step)(const segpipe_adam *adam, float *weights, const float *gradient,
                             float *first, float *second, size_t count) {
  const float beta1 = adam->beta1, beta2 = adam->beta2;
  for (size_t i = 0; i < count; i++) {
    float g = gradient[i] * adam->scale;
    float m = beta1 * first[i] + (1 - beta1) * g;
    float v = beta2 * second[i] + (1 - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    weights[i] -= adam->rate * m / (__builtin_sqrtf(v) * adam->root + adam->epsilon);
  }
}

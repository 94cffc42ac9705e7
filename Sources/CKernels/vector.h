// Sixteen lanes at once, in Clang's portable vectors (a cast between them keeps the bits): one
// AVX-512 register, two of AVX2, four of SSE or NEON. Included once per instruction set, inside a
// region that sets the target; see levels.h.

// These functions are always inlined: how vectors would be passed to them does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float lanes __attribute__((ext_vector_type(16)));
typedef int32_t ints __attribute__((ext_vector_type(16)));
typedef uint32_t words __attribute__((ext_vector_type(16)));
typedef uint8_t bytes __attribute__((ext_vector_type(16)));
typedef lanes loose_lanes __attribute__((aligned(4)));
typedef bytes loose_bytes __attribute__((aligned(1)));

#define INLINE static inline __attribute__((always_inline))

INLINE lanes load(const float *p) { return *(const loose_lanes *)p; }
INLINE void store(float *p, lanes v) { *(loose_lanes *)p = v; }
INLINE lanes splat(float v) { return (lanes)v; }
INLINE lanes larger(lanes a, lanes b) { return a > b ? a : b; }
INLINE lanes smaller(lanes a, lanes b) { return a < b ? a : b; }

// The lanes' sum, halves added first.
INLINE float total(lanes v) {
  v += __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3);
  return (v[0] + v[2]) + (v[1] + v[3]);
}

// exp(x) = 2^n exp(r), r = x - n log 2 in two parts; polynomial of Cephes' expf. x at most 88.3.
INLINE lanes exponential_below(lanes x) {
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  x = larger(x, splat(-87.3f));
  lanes shifted = x * 1.44269504088896341f + magic;
  lanes n = shifted - magic;
  lanes r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  lanes p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  lanes value = p * (r * r) + r + 1.0f;
  return (lanes)((ints)value + ((ints)shifted << 23));
}

INLINE lanes exponential(lanes x) { return exponential_below(smaller(x, splat(88.3f))); }

// log(x) = e log 2 + log(m), m in [sqrt(1/2), sqrt(2)); polynomial of Cephes' logf.
INLINE lanes logarithm(lanes x) {
  ints bits = (ints)x;
  ints exponent = ((bits - 0x3f3504f3) >> 23);
  lanes m = (lanes)(bits - (exponent << 23)) - 1.0f;
  lanes e = __builtin_convertvector(exponent, lanes);
  lanes p = splat(7.0376836292e-2f);
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  lanes z = m * m;
  lanes y = p * m * z + e * -2.12194440e-4f - 0.5f * z;
  return m + y + e * 0.693359375f;
}

INLINE lanes elu(lanes x) { return x > 0 ? x : exponential_below(smaller(x, splat(0))) - 1.0f; }
// ELU'(x) from y = ELU(x).
INLINE lanes elu_slope(lanes y) { return y > 0 ? splat(1) : y + 1.0f; }

// IEEE half precision to single: exact, subnormal numbers included. There are no infinities.
INLINE lanes from_half(const uint16_t *p) {
#if HALF_INSTRUCTIONS
  typedef _Float16 halves __attribute__((ext_vector_type(16), aligned(2)));
  return __builtin_convertvector(*(const halves *)p, lanes);
#else
  typedef uint16_t halves __attribute__((ext_vector_type(16), aligned(2)));
  words half = __builtin_convertvector(*(const halves *)p, words);
  lanes magnitude = (lanes)((half & 0x7fff) << 13) * 0x1p112f;
  return (lanes)((words)magnitude | ((half & 0x8000) << 16));
#endif
}

// rows[i][j] to rows[j][i], four rounds of interleaving rows i and i + 8.
INLINE void transpose(lanes rows[16]) {
  for (int round = 0; round < 4; round++) {
    lanes mixed[16];
    for (int i = 0; i < 8; i++) {
      mixed[2 * i] = __builtin_shufflevector(rows[i], rows[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4,
                                             20, 5, 21, 6, 22, 7, 23);
      mixed[2 * i + 1] = __builtin_shufflevector(rows[i], rows[i + 8], 8, 24, 9, 25, 10, 26, 11, 27,
                                                 12, 28, 13, 29, 14, 30, 15, 31);
    }
    for (int i = 0; i < 16; i++) rows[i] = mixed[i];
  }
}

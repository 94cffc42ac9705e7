// Convolutions between a wide and a narrow volume, in their three forms. Included once per
// instruction set; see levels.h.
//
// A vector holds 16 output channels of a voxel; the products of one input channel with 16 weights
// are added to POSITIONS voxels of a row at once, whose sums stay in registers. Where a row ends
// inside such a stretch, it is copied with zeros around. Kernel and stride are constants wherever
// these functions are called, so that each combination is compiled by itself.

// `count` voxels of 16 channels from `first` of a row of `width`, or a copy with zeros where
// the row has none.
INLINE const float *stretch(const float *row, ptrdiff_t first, size_t count, size_t width,
                            float *copy) {
  if (first >= 0 && first + count <= width) return row + first * 16;
  for (size_t i = 0; i < count; i++) {
    const size_t x = (size_t)(first + (ptrdiff_t)i);  // wraps below zero: no such voxel
    for (size_t c = 0; c < 16; c++) copy[i * 16 + c] = x < width ? row[x * 16 + c] : 0;
  }
  return copy;
}

INLINE lanes finish(const segpipe_convolution *s, lanes sum, const float *bias, size_t group) {
  if (!bias) return sum;
  sum += load(bias + group * 16);
  return s->linear ? sum : elu(sum);
}

// What is wanted of a row of the output.
INLINE segpipe_span span_of(const segpipe_span *spans, size_t row, size_t width) {
  const segpipe_span all = {0, (uint32_t)width};
  return spans ? spans[row] : all;
}

// Channels that any voxel of a stretch has, a bit each.
INLINE uint32_t channels_of(const float *stretch, size_t voxels) {
  typedef _Bool flags __attribute__((ext_vector_type(16)));
  ints any = (ints)load(stretch);
  for (size_t i = 1; i < voxels; i++) any |= (ints)load(stretch + i * 16);
  const flags found = __builtin_convertvector(any != 0, flags);
  uint16_t bits;
  memcpy(&bits, &found, sizeof bits);
  return bits;
}

INLINE void down(const segpipe_convolution *s, const size_t kernel, const size_t stride,
                 const int sparse, const segpipe_span *spans, const float *wide,
                 const float *packed, const float *bias, float *narrow, size_t first, size_t last) {
  float copy[(2 * POSITIONS + 2) * 16];
  const size_t inputs = s->wide_channels / 16, outputs = s->narrow_channels / 16;
  for (size_t index = first; index < last; index++)
    for (size_t o = 0; o < outputs; o++) {
      const segpipe_span span = span_of(spans, index, s->narrow_width);
      for (size_t x = span.begin; x < span.end; x += POSITIONS) {
        const size_t z = index / s->narrow_height, y = index % s->narrow_height;
        lanes sum[POSITIONS];
        for (size_t p = 0; p < POSITIONS; p++) sum[p] = splat(0);
        for (size_t c = 0; c < inputs; c++)
          for (size_t t = 0; t < kernel * kernel; t++) {
            const size_t iz = stride * z + t / kernel - 1, iy = stride * y + t % kernel - 1;
            if (iz >= s->wide_depth || iy >= s->wide_height) continue;
            const float *row =
                wide + ((c * s->wide_depth + iz) * s->wide_height + iy) * s->wide_width * 16;
            const float *in =
                stretch(row, (ptrdiff_t)(stride * x) - 1, stride * (POSITIONS - 1) + kernel,
                        s->wide_width, copy);
            const float *w =
                packed + ((o * inputs + c) * kernel * kernel + t) * kernel * 256;
            if (sparse) {
              const uint32_t found = channels_of(in, stride * (POSITIONS - 1) + kernel);
              for (uint32_t left = found; left; left &= left - 1)
                for (size_t tap = 0; tap < kernel; tap++) {
                  const size_t i = tap * 16 + (size_t)__builtin_ctz(left);
                  const lanes weight = load(w + i * 16);
                  for (size_t p = 0; p < POSITIONS; p++)
                    sum[p] += in[stride * p * 16 + i] * weight;
                }
              continue;
            }
            for (size_t i = 0; i < kernel * 16; i++) {
              const lanes weight = load(w + i * 16);
              for (size_t p = 0; p < POSITIONS; p++) sum[p] += in[stride * p * 16 + i] * weight;
            }
          }
        float *out = narrow + ((o * s->narrow_depth * s->narrow_height + index) * s->narrow_width +
                               x) * 16;
        for (size_t p = 0; p < POSITIONS && x + p < span.end; p++)
          store(out + p * 16, finish(s, sum[p], bias, o));
      }
    }
}

// Stride 2 only. Voxel j of a narrow row reaches wide voxels 2 j - 1 to 2 j + kernel - 2.
INLINE void up(const segpipe_convolution *s, const size_t kernel, const segpipe_span *spans,
               const float *narrow, const float *packed, const float *bias, float *wide,
               size_t first, size_t last) {
  enum { half = POSITIONS / 2 };
  float copy[(half + 2) * 16];
  const size_t inputs = s->narrow_channels / 16, outputs = s->wide_channels / 16;
  for (size_t index = first; index < last; index++)
    for (size_t c = 0; c < outputs; c++) {
      const segpipe_span span = span_of(spans, index, s->wide_width);
      for (size_t x = span.begin / 2 * 2; x < span.end; x += 2 * half) {
        const size_t z = index / s->wide_height, y = index % s->wide_height;
        lanes sum[2 * half];
        for (size_t p = 0; p < 2 * half; p++) sum[p] = splat(0);
        for (size_t o = 0; o < inputs; o++)
          for (size_t tz = (z + 1) % 2; tz < kernel; tz += 2)
            for (size_t ty = (y + 1) % 2; ty < kernel; ty += 2) {
              const size_t iz = (z + 1 - tz) / 2, iy = (y + 1 - ty) / 2;
              if (tz > z + 1 || ty > y + 1 || iz >= s->narrow_depth || iy >= s->narrow_height)
                continue;
              const float *row =
                  narrow +
                  ((o * s->narrow_depth + iz) * s->narrow_height + iy) * s->narrow_width * 16;
              const float *in =
                  stretch(row, (ptrdiff_t)x / 2 - 1, half + 2, s->narrow_width, copy);
              const float *w =
                  packed + (((c * inputs + o) * kernel + tz) * kernel + ty) * kernel * 256;
              for (size_t channel = 0; channel < 16; channel++) {
                const lanes w0 = load(w + channel * 16), w1 = load(w + (16 + channel) * 16);
                const lanes w2 = load(w + (32 + channel) * 16);
                const lanes w3 = kernel == 4 ? load(w + (48 + channel) * 16) : splat(0);
                if (kernel == 4) sum[0] += in[channel] * w3;
                for (size_t j = 0; j < half; j++) {
                  const float value = in[(j + 1) * 16 + channel];
                  if (j > 0) sum[2 * j - 1] += value * w0;
                  sum[2 * j] += value * w1;
                  sum[2 * j + 1] += value * w2;
                  if (kernel == 4 && j + 1 < half) sum[2 * j + 2] += value * w3;
                }
                sum[2 * half - 1] += in[(half + 1) * 16 + channel] * w0;
              }
            }
        float *out =
            wide + ((c * s->wide_depth * s->wide_height + index) * s->wide_width + x) * 16;
        for (size_t p = 0; p < 2 * half && x + p < span.end; p++) {
          const lanes value = finish(s, sum[p], bias, c);
          store(out + p * 16, s->adds ? load(out + p * 16) + value : value);
        }
      }
    }
}

// Adds voxels [begin, end) of a row, at which the taps [from, to) have a wide voxel, to kernel x
// CHANNELS sums. `wide` is shifted by the first of these channels.
INLINE void weights_row(const size_t stride, const float *narrow, const float *wide,
                        size_t begin, size_t end, size_t from, size_t to,
                        lanes sum[4][CHANNELS]) {
  for (size_t x = begin; x < end; x++) {
    const lanes value = load(narrow + x * 16);
    const float *in = wide + (ptrdiff_t)(stride * x * 16) - 16;
    for (size_t tap = from; tap < to; tap++)
      for (size_t channel = 0; channel < CHANNELS; channel++)
        sum[tap][channel] += in[tap * 16 + channel] * value;
  }
}

INLINE void weights(const segpipe_convolution *s, const size_t kernel, const size_t stride,
                    const float *wide, const float *narrow, float *packed, size_t first,
                    size_t last) {
  const size_t inputs = s->wide_channels / 16, outputs = s->narrow_channels / 16;
  const size_t width = s->narrow_width;
  // Voxels [1, full) have all taps inside the row: stride x + tap - 1 < wide width.
  size_t full = width;
  while (full > 1 && stride * (full - 1) + kernel - 2 >= s->wide_width) full--;
  for (size_t index = first; index < last; index++)
    for (size_t c = 0; c < inputs; c++)
      for (size_t t = 0; t < kernel * kernel; t++) {
        const size_t z = index / s->narrow_height, y = index % s->narrow_height;
        const size_t iz = stride * z + t / kernel - 1, iy = stride * y + t % kernel - 1;
        if (iz >= s->wide_depth || iy >= s->wide_height) continue;
        const float *row =
            wide + ((c * s->wide_depth + iz) * s->wide_height + iy) * s->wide_width * 16;
        for (size_t o = 0; o < outputs; o++) {
          const float *in =
              narrow + (o * s->narrow_depth * s->narrow_height + index) * width * 16;
          float *out = packed + ((o * inputs + c) * kernel * kernel + t) * kernel * 256;
          for (size_t channel = 0; channel < 16; channel += CHANNELS) {
            lanes sum[4][CHANNELS];
            for (size_t tap = 0; tap < kernel; tap++)
              for (size_t i = 0; i < CHANNELS; i++)
                sum[tap][i] = load(out + (tap * 16 + channel + i) * 16);
            for (size_t x = 0; x < width; x++) {
              size_t to = kernel;
              while (to > 0 && stride * x + to - 2 >= s->wide_width && stride * x + to > 1) to--;
              if (x == 1 && full > 1) {
                weights_row(stride, in, row + channel, 1, full, 0, kernel, sum);
                x = full - 1;
              } else {
                weights_row(stride, in, row + channel, x, x + 1, x == 0, to, sum);
              }
            }
            for (size_t tap = 0; tap < kernel; tap++)
              for (size_t i = 0; i < CHANNELS; i++)
                store(out + (tap * 16 + channel + i) * 16, sum[tap][i]);
          }
        }
      }
}

static void LEVEL(down)(const segpipe_convolution *s, const segpipe_span *spans, const float *wide,
                        const float *packed, const float *bias, float *narrow, size_t first,
                        size_t last) {
  if (s->kernel == 4 && s->stride == 2)
    down(s, 4, 2, 0, spans, wide, packed, bias, narrow, first, last);
  if (s->kernel == 3 && s->stride == 2)
    down(s, 3, 2, 0, spans, wide, packed, bias, narrow, first, last);
  if (s->kernel == 3 && s->stride == 1 && s->sparse)
    down(s, 3, 1, 1, spans, wide, packed, bias, narrow, first, last);
  if (s->kernel == 3 && s->stride == 1 && !s->sparse)
    down(s, 3, 1, 0, spans, wide, packed, bias, narrow, first, last);
}

static void LEVEL(up)(const segpipe_convolution *s, const segpipe_span *spans, const float *narrow,
                      const float *packed, const float *bias, float *wide, size_t first,
                      size_t last) {
  if (s->kernel == 4) up(s, 4, spans, narrow, packed, bias, wide, first, last);
  if (s->kernel == 3) up(s, 3, spans, narrow, packed, bias, wide, first, last);
}

static void LEVEL(weights)(const segpipe_convolution *s, const float *wide, const float *narrow,
                           float *packed, size_t first, size_t last) {
  if (s->kernel == 4 && s->stride == 2)
    weights(s, 4, 2, wide, narrow, packed, first, last);
  if (s->kernel == 3 && s->stride == 2)
    weights(s, 3, 2, wide, narrow, packed, first, last);
  if (s->kernel == 3 && s->stride == 1)
    weights(s, 3, 1, wide, narrow, packed, first, last);
}

// c += a b for a [rows][depth], b [depth][16], c [rows][16], rows a multiple of POSITIONS: what
// this processor can do at best.
static void LEVEL(product)(const float *a, const float *b, float *c, size_t rows, size_t depth) {
  for (size_t row = 0; row + POSITIONS <= rows; row += POSITIONS) {
    lanes sum[POSITIONS];
    for (size_t p = 0; p < POSITIONS; p++) sum[p] = load(c + (row + p) * 16);
    for (size_t i = 0; i < depth; i++) {
      const lanes factor = load(b + i * 16);
      for (size_t p = 0; p < POSITIONS; p++) sum[p] += a[(row + p) * depth + i] * factor;
    }
    for (size_t p = 0; p < POSITIONS; p++) store(c + (row + p) * 16, sum[p]);
  }
}

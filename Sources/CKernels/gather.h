// The first layer: rows of weights gathered by label. Included once per instruction set; see
// levels.h.

// The labels that the 27 taps of one row of outputs see, [9][width + 2], `outside` where there is
// no voxel.
INLINE void gather_rows(const segpipe_gather *s, const uint8_t *labels, size_t z, size_t y,
                        uint8_t *rows) {
  for (size_t row = 0; row < 9; row++) {
    uint8_t *to = rows + row * (s->width + 2);
    // Below zero these wrap around and are caught as too large.
    const size_t iz = 2 * z + row / 3 - 1, iy = 2 * y + row % 3 - 1;
    memset(to, (int)s->labels, s->width + 2);
    if (iz < s->depth && iy < s->height)
      memcpy(to + 1, labels + (iz * s->height + iy) * s->width, s->width);
  }
}

static void LEVEL(gather_forward)(const segpipe_gather *s, const uint8_t *labels,
                                  const float *table, const float *bias, float *out, size_t first,
                                  size_t last) {
  const size_t height = (s->height + 1) / 2, width = (s->width + 1) / 2;
  const size_t voxels = (s->depth + 1) / 2 * height * width;
  const size_t padded = (s->channels + 15) / 16 * 16, tap_size = (s->labels + 1) * padded;
  uint8_t rows[9 * (s->width + 2)];
  for (size_t z = first; z < last; z++)
    for (size_t y = 0; y < height; y++) {
      gather_rows(s, labels, z, y, rows);
      for (size_t group = 0; group < padded / 16; group++)
        for (size_t x = 0; x < width; x++) {
          lanes sum = load(bias + group * 16);
          for (size_t row = 0; row < 9; row++) {
            const uint8_t *seen = rows + row * (s->width + 2) + 2 * x;
            const float *tap = table + row * 3 * tap_size + group * 16;
            for (size_t t = 0; t < 3; t++) sum += load(tap + t * tap_size + seen[t] * padded);
          }
          store(out + (group * voxels + (z * height + y) * width + x) * 16, elu(sum));
        }
    }
}

static void LEVEL(gather_backward)(const segpipe_gather *s, const uint8_t *labels,
                                   const float *gradient, float *table, size_t first, size_t last) {
  const size_t height = (s->height + 1) / 2, width = (s->width + 1) / 2;
  const size_t voxels = (s->depth + 1) / 2 * height * width;
  const size_t padded = (s->channels + 15) / 16 * 16, tap_size = (s->labels + 1) * padded;
  uint8_t rows[9 * (s->width + 2)];
  for (size_t z = first; z < last; z++)
    for (size_t y = 0; y < height; y++) {
      gather_rows(s, labels, z, y, rows);
      for (size_t group = 0; group < padded / 16; group++)
        for (size_t x = 0; x < width; x++) {
          lanes g = load(gradient + (group * voxels + (z * height + y) * width + x) * 16);
          for (size_t row = 0; row < 9; row++) {
            const uint8_t *seen = rows + row * (s->width + 2) + 2 * x;
            float *tap = table + row * 3 * tap_size + group * 16;
            for (size_t t = 0; t < 3; t++) {
              float *to = tap + t * tap_size + seen[t] * padded;
              store(to, load(to) + g);
            }
          }
        }
    }
}

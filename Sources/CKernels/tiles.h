// 3x3x3 convolution of stride 1 in tiles of 2x2x2 voxels: the minimal filtering algorithm F(2, 3) along each axis
// (Winograd, 1980; Lavin and Gray, CVPR 2016), 64 products a tile and pair of channels instead of 216. Included
// once per instruction set; see levels.h.
//
// On one axis, of four inputs d and three weights g:
//   v = (d0 - d2, d1 + d2, d2 - d1, d1 - d3)        u = (g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2)
//   m = u v        out = (m0 + m1 + m2, m1 - m2 - m3)
// so that an output depends on its own three inputs alone, whatever the fourth is.
//
// TILES tiles of a row of tiles are taken at once, for one or two blocks of 16 output channels: the products of
// one input channel with 16 weights are added to the sums of all tiles, which stay in registers.

enum { TILES = POSITIONS / 2, COLUMNS_OF_TILES = 2 * TILES + 2, FREQUENCIES = 64 };

// v along an axis.
INLINE void tile_input(const lanes d[4], lanes v[4]) {
  v[0] = d[0] - d[2];
  v[1] = d[1] + d[2];
  v[2] = d[2] - d[1];
  v[3] = d[1] - d[3];
}

// One block of input channels around TILES tiles that begin at (z, y, x), to v [64][TILES][16].
INLINE void tile_inputs(const segpipe_convolution *s, const float *block, size_t z, size_t y,
                        size_t x, float *v) {
  float deep[4][4][COLUMNS_OF_TILES * 16], copies[4][COLUMNS_OF_TILES * 16];
  static const float nothing[COLUMNS_OF_TILES * 16];
  for (size_t row = 0; row < 4; row++) {
    const float *in[4];
    for (size_t plane = 0; plane < 4; plane++) {
      const size_t iz = z + plane - 1, iy = y + row - 1;  // wrap below zero: no such row
      in[plane] = iz < s->wide_depth && iy < s->wide_height
                      ? stretch(block + (iz * s->wide_height + iy) * s->wide_width * 16,
                                (ptrdiff_t)x - 1, COLUMNS_OF_TILES, s->wide_width, copies[plane])
                      : nothing;
    }
    for (size_t column = 0; column < COLUMNS_OF_TILES; column++) {
      lanes d[4], w[4];
      for (size_t plane = 0; plane < 4; plane++) d[plane] = load(in[plane] + column * 16);
      tile_input(d, w);
      for (size_t plane = 0; plane < 4; plane++) store(deep[plane][row] + column * 16, w[plane]);
    }
  }
  for (size_t plane = 0; plane < 4; plane++)
    for (size_t tile = 0; tile < TILES; tile++) {
      lanes high[4][4];
      for (size_t column = 0; column < 4; column++) {
        lanes d[4], w[4];
        for (size_t row = 0; row < 4; row++)
          d[row] = load(deep[plane][row] + (2 * tile + column) * 16);
        tile_input(d, w);
        for (size_t row = 0; row < 4; row++) high[row][column] = w[row];
      }
      for (size_t row = 0; row < 4; row++) {
        lanes w[4];
        tile_input(high[row], w);
        for (size_t column = 0; column < 4; column++)
          store(v + (((plane * 4 + row) * 4 + column) * TILES + tile) * 16, w[column]);
      }
    }
}

// m [groups][64][TILES][16], added to unless `fresh`, from v; the weights of a group are `apart` from the last's.
INLINE void tile_products(const float *v, const float *packed, size_t apart, const size_t groups,
                          int fresh, float *m) {
  for (size_t f = 0; f < FREQUENCIES; f++) {
    lanes sum[2][TILES];
    for (size_t g = 0; g < groups; g++)
      for (size_t tile = 0; tile < TILES; tile++)
        sum[g][tile] =
            fresh ? splat(0) : load(m + ((g * FREQUENCIES + f) * TILES + tile) * 16);
    for (size_t channel = 0; channel < 16; channel++) {
      lanes weight[2];
      for (size_t g = 0; g < groups; g++)
        weight[g] = load(packed + g * apart + (f * 16 + channel) * 16);
      for (size_t tile = 0; tile < TILES; tile++) {
        const float value = v[(f * TILES + tile) * 16 + channel];
        for (size_t g = 0; g < groups; g++) sum[g][tile] += value * weight[g];
      }
    }
    for (size_t g = 0; g < groups; g++)
      for (size_t tile = 0; tile < TILES; tile++)
        store(m + ((g * FREQUENCIES + f) * TILES + tile) * 16, sum[g][tile]);
  }
}

// The 2x2x2 voxels of a tile, out[z][y][x], from its m, whose frequencies are TILES x 16 apart.
INLINE void tile_output(const float *m, lanes out[2][2][2]) {
  for (size_t plane = 0; plane < 4; plane++) {
    lanes rows[4][2], q[2][2];
    for (size_t row = 0; row < 4; row++) {
      lanes p[4];
      for (size_t column = 0; column < 4; column++)
        p[column] = load(m + ((plane * 4 + row) * 4 + column) * TILES * 16);
      rows[row][0] = p[0] + p[1] + p[2];
      rows[row][1] = p[1] - p[2] - p[3];
    }
    for (size_t x = 0; x < 2; x++) {
      q[0][x] = rows[0][x] + rows[1][x] + rows[2][x];
      q[1][x] = rows[1][x] - rows[2][x] - rows[3][x];
    }
    for (size_t y = 0; y < 2; y++)
      for (size_t x = 0; x < 2; x++) {
        if (plane == 0) out[0][y][x] = q[y][x];
        if (plane == 1) {
          out[0][y][x] += q[y][x];
          out[1][y][x] = q[y][x];
        }
        if (plane == 2) {
          out[0][y][x] += q[y][x];
          out[1][y][x] -= q[y][x];
        }
        if (plane == 3) out[1][y][x] -= q[y][x];
      }
  }
}

INLINE void tiles_of_groups(const segpipe_convolution *s, const size_t groups, size_t o,
                            const segpipe_span *spans, const float *wide, const float *packed,
                            const float *bias, float *narrow, size_t z, size_t y) {
  float v[FREQUENCIES * TILES * 16], m[2 * FREQUENCIES * TILES * 16];
  const size_t inputs = s->wide_channels / 16, apart = inputs * FREQUENCIES * 256;
  const size_t voxels = s->narrow_depth * s->narrow_height * s->narrow_width;
  segpipe_span wanted[2][2], all = {UINT32_MAX, 0};
  for (size_t dz = 0; dz < 2; dz++)
    for (size_t dy = 0; dy < 2; dy++) {
      const int exists = z + dz < s->narrow_depth && y + dy < s->narrow_height;
      const segpipe_span none = {0, 0};
      const segpipe_span span =
          exists ? span_of(spans, (z + dz) * s->narrow_height + y + dy, s->narrow_width) : none;
      wanted[dz][dy] = span;
      if (span.begin == span.end) continue;
      all.begin = span.begin < all.begin ? span.begin : all.begin;
      all.end = span.end > all.end ? span.end : all.end;
    }
  // Tiles begin at even voxels: what is made of a voxel does not depend on what else is wanted.
  for (size_t x = all.begin / 2 * 2; x < all.end; x += 2 * TILES) {
    for (size_t c = 0; c < inputs; c++) {
      tile_inputs(s, wide + c * s->wide_depth * s->wide_height * s->wide_width * 16, z, y, x, v);
      tile_products(v, packed + o * apart + c * FREQUENCIES * 256, apart, groups, c == 0, m);
    }
    for (size_t g = 0; g < groups; g++)
      for (size_t tile = 0; tile < TILES; tile++) {
        lanes out[2][2][2];
        tile_output(m + (g * FREQUENCIES * TILES + tile) * 16, out);
        for (size_t dz = 0; dz < 2; dz++)
          for (size_t dy = 0; dy < 2; dy++)
            for (size_t dx = 0; dx < 2; dx++) {
              const size_t at = x + 2 * tile + dx;
              if (at < wanted[dz][dy].begin || at >= wanted[dz][dy].end) continue;
              const size_t row = (z + dz) * s->narrow_height + y + dy;
              store(narrow + ((o + g) * voxels + row * s->narrow_width + at) * 16,
                    finish(s, out[dz][dy][dx], bias, o + g));
            }
      }
  }
}

static void LEVEL(tiles)(const segpipe_convolution *s, const segpipe_span *spans, const float *wide,
                         const float *packed, const float *bias, float *narrow, size_t first,
                         size_t last) {
  const size_t outputs = s->narrow_channels / 16, across = (s->narrow_height + 1) / 2;
  for (size_t index = first; index < last; index++) {
    const size_t z = index / across * 2, y = index % across * 2;
    for (size_t o = 0; o < outputs; o += 2) {
      if (o + 1 < outputs)
        tiles_of_groups(s, 2, o, spans, wide, packed, bias, narrow, z, y);
      else
        tiles_of_groups(s, 1, o, spans, wide, packed, bias, narrow, z, y);
    }
  }
}

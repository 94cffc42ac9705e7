// The output pass of a decoder that warps a location prior and adds residual logits, fused: prior
// read at the displaced position, softmax, loss and gradients, cell by cell of the lattice that
// displacement and logits are given on. Included once per instruction set; see levels.h.

#define WARP_BLOCKS (SEGPIPE_MAX_LABELS / 16)

// Where a voxel along one axis lies between two nodes of the lattice.
typedef struct {
  size_t low, high;  // nodes
  float fraction;    // of the way from low to high
} LEVEL(place);

INLINE LEVEL(place) warp_place(size_t voxel, size_t factor, size_t nodes) {
  const float at = ((float)voxel + 0.5f) / (float)factor - 0.5f;
  LEVEL(place) p = {0, 0, 0};
  if (at <= 0) return p;
  p.low = (size_t)at;
  if (p.low > nodes - 1) p.low = nodes - 1;
  p.high = p.low + 1 < nodes ? p.low + 1 : p.low;
  p.fraction = at - (float)p.low;
  return p;
}

// What a cell of the lattice shares between its voxels.
typedef struct {
  lanes shift[8], shift_gradient[8];
  lanes logits[8][WARP_BLOCKS], gradients[8][WARP_BLOCKS];
  size_t nodes[8];
} LEVEL(cell);

// What a voxel needs of the prior at its displaced position.
typedef struct {
  size_t corners[8];
  float x, y, z;
  float free[3];    // 0 along axes where the position was moved onto the grid
  unsigned blocks;  // bit b: one of the corners has labels of block b
  int pure;         // the only label of all corners, or -1
} LEVEL(source);

INLINE float warp_clamp(float at, size_t extent) {
  const float last = (float)extent - 1.001f;
  at = at > 0 ? at : 0;  // also where it is not a number
  return at < last ? at : last;
}

INLINE LEVEL(source) warp_source(const segpipe_warped *s, float x, float y, float z) {
  LEVEL(source) source;
  const float asked[3] = {x, y, z};
  x = warp_clamp(x, s->width);
  y = warp_clamp(y, s->height);
  z = warp_clamp(z, s->depth);
  source.free[0] = x == asked[0];
  source.free[1] = y == asked[1];
  source.free[2] = z == asked[2];
  const size_t ix = (size_t)x, iy = (size_t)y, iz = (size_t)z;
  source.x = x - (float)ix;
  source.y = y - (float)iy;
  source.z = z - (float)iz;
  const size_t row = s->width, slice = s->width * s->height;
  const size_t first = iz * slice + iy * row + ix;
  const uint8_t pure = s->pure[first];
  source.pure = pure == 255 ? -1 : pure;
  source.blocks = 0;
  for (size_t c = 0; c < 8; c++) {
    source.corners[c] = first + (c & 1) + (c >> 1 & 1) * row + (c >> 2) * slice;
    source.blocks |= s->mask[source.corners[c]];
  }
  return source;
}

INLINE lanes warp_bytes(const segpipe_warped *s, size_t voxel, unsigned block) {
  static const uint8_t nothing[16];
  const unsigned mask = s->mask[voxel];
  const uint8_t *at = nothing;
  if (mask >> block & 1)
    at = s->values +
         16 * ((size_t)s->start[voxel] + (size_t)__builtin_popcount(mask & ((1u << block) - 1)));
  return __builtin_convertvector(*(const loose_bytes *)at, lanes);
}

// The prior of a block's labels at the source, in 1/255, and its slopes along the three axes.
INLINE lanes warp_read(const segpipe_warped *s, const LEVEL(source) *source, unsigned block,
                       lanes slopes[3]) {
  lanes c[8];
  for (size_t i = 0; i < 8; i++) c[i] = warp_bytes(s, source->corners[i], block);
  const lanes d0 = c[1] - c[0], d1 = c[3] - c[2], d2 = c[5] - c[4], d3 = c[7] - c[6];
  const lanes e0 = c[0] + source->x * d0, e1 = c[2] + source->x * d1;
  const lanes e2 = c[4] + source->x * d2, e3 = c[6] + source->x * d3;
  const lanes h0 = e0 + source->y * (e1 - e0), h1 = e2 + source->y * (e3 - e2);
  const lanes x0 = d0 + source->y * (d1 - d0), x1 = d2 + source->y * (d3 - d2);
  slopes[0] = x0 + source->z * (x1 - x0);
  slopes[1] = (e1 - e0) + source->z * ((e3 - e2) - (e1 - e0));
  slopes[2] = h1 - h0;
  return h0 + source->z * (h1 - h0);
}

// floor in the lanes of labels that exist, 0 in those that only fill up the last block.
INLINE lanes warp_floor(const segpipe_warped *s, size_t block) {
  lanes floor = splat(s->floor);
  if (16 * block + 16 > s->labels)
    for (size_t i = 0; i < 16; i++)
      if (16 * block + i >= s->labels) floor[i] = 0;
  return floor;
}

// Labels of the blocks that are not in `blocks`.
INLINE size_t warp_absent(const segpipe_warped *s, unsigned blocks) {
  size_t present = 0;
  for (size_t b = 0; 16 * b < s->labels; b++)
    if (blocks >> b & 1) present += s->labels - 16 * b < 16 ? s->labels - 16 * b : 16;
  return s->labels - present;
}

INLINE lanes warp_between(lanes a, lanes b, float f) { return a + f * (b - a); }

// Prior times exponential of the residual logits for the labels of the source's blocks; returns
// their sum with that of all other labels.
INLINE float warp_masses(const segpipe_warped *s, const LEVEL(source) *source,
                         const lanes low[WARP_BLOCKS], const lanes high[WARP_BLOCKS],
                         float fraction, lanes mass[WARP_BLOCKS], lanes prior[WARP_BLOCKS],
                         lanes slopes[WARP_BLOCKS][3]) {
  lanes sum = splat(0);
  for (unsigned b = 0; 16 * b < s->labels; b++) {
    if (!(source->blocks >> b & 1)) continue;
    prior[b] = warp_read(s, source, b, slopes[b]) * (1.0f / 255.0f) + warp_floor(s, b);
    lanes logit = warp_between(low[b], high[b], fraction);
    logit = smaller(larger(logit, splat(-SEGPIPE_LARGEST_LOGIT)), splat(SEGPIPE_LARGEST_LOGIT));
    mass[b] = prior[b] * exponential_below(logit);
    sum += mass[b];
  }
  return total(sum) + s->floor * (float)warp_absent(s, source->blocks);
}

typedef struct {
  double loss;
  // Logarithms of the first minus those of the second, times the third, are losses.
  float sums[64], wanted[64], weights[64];
  size_t count;
} LEVEL(tally);

static inline void LEVEL(warp_flush)(LEVEL(tally) *t) {
  for (size_t i = t->count; i < 64; i++) t->sums[i] = t->wanted[i] = t->weights[i] = 1;
  lanes value = splat(0);
  for (size_t i = 0; i < 64; i += 16)
    value += load(t->weights + i) *
             (logarithm(load(t->sums + i)) - logarithm(load(t->wanted + i)));
  t->loss += (double)total(value);
  t->count = 0;
}

INLINE void warp_add(LEVEL(tally) *t, float sum, float wanted, float weight) {
  t->weights[t->count] = weight;
  t->sums[t->count] = sum;
  t->wanted[t->count] = larger(splat(wanted), splat(1e-37f))[0];
  if (++t->count == 64) LEVEL(warp_flush)(t);
}

// Loss of one voxel; if asked for, mass becomes the loss's gradient with respect to the logits.
INLINE void warp_voxel_loss(const segpipe_warped *s, const segpipe_observed *o, size_t voxel,
                            unsigned blocks, float sum, int backward, lanes mass[WARP_BLOCKS],
                            LEVEL(tally) *t) {
  if (o->kind == SEGPIPE_CROSS_ENTROPY) {
    const unsigned target = o->target[voxel], block = target / 16;
    const float weight = o->weight ? o->weight[target] : 1, share = o->scale * weight / sum;
    const int present = blocks >> block & 1;
    const float wanted = present ? ((const float *)&mass[block])[target % 16] : s->floor;
    warp_add(t, sum, wanted, weight);
    if (!backward) return;
    for (unsigned b = 0; 16 * b < s->labels; b++)
      if (blocks >> b & 1) mass[b] *= share;
    if (present) ((float *)&mass[block])[target % 16] -= o->scale * weight;
    return;
  }
  const float share = o->scale / sum;
  const size_t padded = (s->labels + 15) / 16 * 16;
  const float *row = o->table + o->code[voxel] * padded;
  if (o->kind == SEGPIPE_EXACT) {
    lanes evidence = splat(0), rest = splat(0);
    for (unsigned b = 0; 16 * b < s->labels; b++) {
      if (blocks >> b & 1)
        evidence += mass[b] * load(row + 16 * b);
      else
        rest += warp_floor(s, b) * load(row + 16 * b);
    }
    const float wanted = total(evidence + rest);
    warp_add(t, sum, wanted, 1);
    if (!backward) return;
    const float taken = o->scale / (wanted > 1e-37f ? wanted : 1e-37f);
    for (unsigned b = 0; 16 * b < s->labels; b++)
      if (blocks >> b & 1) mass[b] *= share - taken * load(row + 16 * b);
    return;
  }
  // Jensen: the table holds logarithms. Square: it holds residuals.
  lanes mean = splat(0);
  for (unsigned b = 0; 16 * b < s->labels; b++)
    mean += (blocks >> b & 1 ? mass[b] : warp_floor(s, b)) * load(row + 16 * b);
  const float expected = total(mean) / sum;
  if (o->kind == SEGPIPE_SQUARE) {
    t->loss += 0.5 * (double)expected * (double)expected;
    if (!backward) return;
    for (unsigned b = 0; 16 * b < s->labels; b++)
      if (blocks >> b & 1) mass[b] *= share * expected * (load(row + 16 * b) - expected);
    return;
  }
  t->loss -= (double)expected;
  if (!backward) return;
  for (unsigned b = 0; 16 * b < s->labels; b++)
    if (blocks >> b & 1) mass[b] *= share * (expected - load(row + 16 * b));
}

// Whether a voxel is observed.
INLINE int warp_observed(const segpipe_warped *s, const segpipe_observed *o, size_t voxel) {
  return o->kind == SEGPIPE_CROSS_ENTROPY ? o->target[voxel] < s->labels
                                          : o->code[voxel] != SEGPIPE_UNOBSERVED;
}

// A voxel where the prior knows one label alone; residual logits do not count there.
INLINE void warp_pure(const segpipe_warped *s, const segpipe_observed *o, size_t voxel, int label,
                      LEVEL(tally) *t) {
  const float sum = 1 + s->floor * (float)s->labels;
  if (o->kind == SEGPIPE_CROSS_ENTROPY) {
    const unsigned target = o->target[voxel];
    warp_add(t, sum, (int)target == label ? 1 + s->floor : s->floor,
             o->weight ? o->weight[target] : 1);
    return;
  }
  const size_t padded = (s->labels + 15) / 16 * 16;
  const float *row = o->table + o->code[voxel] * padded;
  lanes rest = splat(0);
  for (unsigned b = 0; 16 * b < s->labels; b++) rest += warp_floor(s, b) * load(row + 16 * b);
  const float mean = total(rest) + row[label];
  if (o->kind == SEGPIPE_EXACT)
    warp_add(t, sum, mean, 1);
  else if (o->kind == SEGPIPE_SQUARE)
    t->loss += 0.5 * (double)(mean / sum) * (double)(mean / sum);
  else
    t->loss -= (double)(mean / sum);
}

static double LEVEL(warp_loss)(const segpipe_warped *s, const segpipe_observed *o, float *shifts,
                               float *logits, size_t slab) {
  const size_t f = s->factor, blocks = (s->labels + 15) / 16;
  const size_t nz = s->depth / f, ny = s->height / f, nx = s->width / f, nodes = nz * ny * nx;
  const int backward = shifts != NULL;
  // Voxels before the first node and behind the last make slabs of their own.
  const size_t z_first = slab == 0 ? 0 : f * (slab - 1) + f / 2;
  const size_t z_last = f * slab + f / 2 < s->depth ? f * slab + f / 2 : s->depth;
  LEVEL(tally) tally = {.loss = 0, .count = 0};
  LEVEL(cell) cell;
  const LEVEL(place) slab_place = warp_place(z_first, f, nz);
  for (size_t q = 0; q <= ny; q++) {
    const size_t y_first = q == 0 ? 0 : f * (q - 1) + f / 2;
    const size_t y_last = f * q + f / 2 < s->height ? f * q + f / 2 : s->height;
    const LEVEL(place) row_place = warp_place(y_first, f, ny);
    for (size_t r = 0; r <= nx; r++) {
      if ((slab + q + r) % o->stride != o->phase) continue;
      const size_t x_first = r == 0 ? 0 : f * (r - 1) + f / 2;
      const size_t x_last = f * r + f / 2 < s->width ? f * r + f / 2 : s->width;
      const LEVEL(place) cell_place = warp_place(x_first, f, nx);
      for (size_t c = 0; c < 8; c++) {
        const size_t z = c >> 2 ? slab_place.high : slab_place.low;
        const size_t y = c >> 1 & 1 ? row_place.high : row_place.low;
        const size_t x = c & 1 ? cell_place.high : cell_place.low;
        cell.nodes[c] = (z * ny + y) * nx + x;
        cell.shift[c] = load(s->shift + cell.nodes[c] * 16) * s->reach;
        cell.shift_gradient[c] = splat(0);
        for (size_t b = 0; b < blocks; b++) {
          cell.logits[c][b] = load(s->logits + (b * nodes + cell.nodes[c]) * 16);
          cell.gradients[c][b] = splat(0);
        }
      }
      for (size_t z = z_first; z < z_last; z++) {
        const float fz = warp_place(z, f, nz).fraction;
        lanes along_z[4][WARP_BLOCKS], back_z[4][WARP_BLOCKS];
        lanes shift_z[4], shift_back_z[4];
        for (size_t c = 0; c < 4; c++) {
          shift_z[c] = warp_between(cell.shift[c], cell.shift[c + 4], fz);
          shift_back_z[c] = splat(0);
          for (size_t b = 0; b < blocks; b++) {
            along_z[c][b] = warp_between(cell.logits[c][b], cell.logits[c + 4][b], fz);
            back_z[c][b] = splat(0);
          }
        }
        for (size_t y = y_first; y < y_last; y++) {
          const float fy = warp_place(y, f, ny).fraction;
          lanes low[WARP_BLOCKS], high[WARP_BLOCKS];
          lanes back_low[WARP_BLOCKS], back_high[WARP_BLOCKS];
          const lanes shift_low = warp_between(shift_z[0], shift_z[2], fy);
          const lanes shift_high = warp_between(shift_z[1], shift_z[3], fy);
          lanes shift_back_low = splat(0), shift_back_high = splat(0);
          for (size_t b = 0; b < blocks; b++) {
            low[b] = warp_between(along_z[0][b], along_z[2][b], fy);
            high[b] = warp_between(along_z[1][b], along_z[3][b], fy);
            back_low[b] = back_high[b] = splat(0);
          }
          for (size_t x = x_first; x < x_last; x++) {
            const size_t voxel = (z * s->height + y) * s->width + x;
            if (!warp_observed(s, o, voxel)) continue;
            const float fx = warp_place(x, f, nx).fraction;
            const lanes shift = warp_between(shift_low, shift_high, fx);
            const LEVEL(source) source = warp_source(
                s, (float)x + shift[0], (float)y + shift[1], (float)z + shift[2]);
            if (source.pure >= 0) {
              warp_pure(s, o, voxel, source.pure, &tally);
              continue;
            }
            lanes mass[WARP_BLOCKS], prior[WARP_BLOCKS], slopes[WARP_BLOCKS][3];
            const float sum = warp_masses(s, &source, low, high, fx, mass, prior, slopes);
            warp_voxel_loss(s, o, voxel, source.blocks, sum, backward, mass, &tally);
            if (!backward) continue;
            lanes towards[3] = {splat(0), splat(0), splat(0)};
            for (unsigned b = 0; b < blocks; b++) {
              if (!(source.blocks >> b & 1)) continue;
              back_high[b] += fx * mass[b];
              back_low[b] += (1 - fx) * mass[b];
              const lanes ratio = mass[b] / larger(prior[b], splat(1e-30f));
              for (size_t i = 0; i < 3; i++) towards[i] += ratio * slopes[b][i];
            }
            lanes gradient = splat(0);
            for (int i = 0; i < 3; i++) gradient[i] = total(towards[i]) * source.free[i] * (1.0f / 255.0f);
            shift_back_high += fx * gradient;
            shift_back_low += (1 - fx) * gradient;
          }
          if (!backward) continue;
          shift_back_z[0] += (1 - fy) * shift_back_low;
          shift_back_z[1] += (1 - fy) * shift_back_high;
          shift_back_z[2] += fy * shift_back_low;
          shift_back_z[3] += fy * shift_back_high;
          for (size_t b = 0; b < blocks; b++) {
            back_z[0][b] += (1 - fy) * back_low[b];
            back_z[1][b] += (1 - fy) * back_high[b];
            back_z[2][b] += fy * back_low[b];
            back_z[3][b] += fy * back_high[b];
          }
        }
        if (!backward) continue;
        for (size_t c = 0; c < 4; c++) {
          cell.shift_gradient[c] += (1 - fz) * shift_back_z[c];
          cell.shift_gradient[c + 4] += fz * shift_back_z[c];
          for (size_t b = 0; b < blocks; b++) {
            cell.gradients[c][b] += (1 - fz) * back_z[c][b];
            cell.gradients[c + 4][b] += fz * back_z[c][b];
          }
        }
      }
      if (!backward) continue;
      for (size_t c = 0; c < 8; c++) {
        float *shift = shifts + cell.nodes[c] * 16;
        store(shift, load(shift) + s->reach * cell.shift_gradient[c]);
        for (size_t b = 0; b < blocks; b++) {
          float *logit = logits + (b * nodes + cell.nodes[c]) * 16;
          store(logit, load(logit) + cell.gradients[c][b]);
        }
      }
    }
  }
  LEVEL(warp_flush)(&tally);
  return tally.loss * (double)o->scale;
}

// Probabilities of one row of voxels, [width][padded K], and log of the sum of masses.
static void LEVEL(warp_row)(const segpipe_warped *s, size_t z, size_t y, float *probabilities,
                            float *log_normaliser) {
  const size_t f = s->factor, blocks = (s->labels + 15) / 16, padded = 16 * blocks;
  const size_t nz = s->depth / f, ny = s->height / f, nx = s->width / f, nodes = nz * ny * nx;
  const LEVEL(place) pz = warp_place(z, f, nz), py = warp_place(y, f, ny);
  float sums[s->width + 16];
  for (size_t x = 0; x < s->width; x++) {
    const LEVEL(place) px = warp_place(x, f, nx);
    lanes low[WARP_BLOCKS], high[WARP_BLOCKS], shift[2];
    for (size_t side = 0; side < 2; side++) {
      const size_t column = side ? px.high : px.low;
      const size_t a = (pz.low * ny + py.low) * nx + column;
      const size_t b = (pz.low * ny + py.high) * nx + column;
      const size_t c = (pz.high * ny + py.low) * nx + column;
      const size_t d = (pz.high * ny + py.high) * nx + column;
#define WARP_PLANE(data)                                                                        \
  warp_between(warp_between(load((data) + a * 16), load((data) + c * 16), pz.fraction),         \
               warp_between(load((data) + b * 16), load((data) + d * 16), pz.fraction), \
               py.fraction)
      shift[side] = WARP_PLANE(s->shift) * s->reach;
      for (size_t block = 0; block < blocks; block++)
        (side ? high : low)[block] = WARP_PLANE(s->logits + block * nodes * 16);
#undef WARP_PLANE
    }
    const lanes u = warp_between(shift[0], shift[1], px.fraction);
    const LEVEL(source) source =
        warp_source(s, (float)x + u[0], (float)y + u[1], (float)z + u[2]);
    float *out = probabilities + x * padded;
    if (source.pure >= 0) {
      const float sum = 1 + s->floor * (float)s->labels;
      for (size_t b = 0; b < blocks; b++) store(out + 16 * b, warp_floor(s, b) / sum);
      out[source.pure] += 1 / sum;
      sums[x] = sum;
      continue;
    }
    lanes mass[WARP_BLOCKS], prior[WARP_BLOCKS], slopes[WARP_BLOCKS][3];
    const float sum = warp_masses(s, &source, low, high, px.fraction, mass, prior, slopes);
    for (unsigned b = 0; b < blocks; b++)
      store(out + 16 * b, (source.blocks >> b & 1 ? mass[b] : warp_floor(s, b)) / sum);
    sums[x] = sum;
  }
  if (!log_normaliser) return;
  for (size_t x = s->width; x < s->width + 16; x++) sums[x] = 1;
  for (size_t x = 0; x < s->width; x += 16) {
    const lanes value = logarithm(load(sums + x));
    for (size_t i = 0; i < 16 && x + i < s->width; i++) log_normaliser[x + i] = value[i];
  }
}

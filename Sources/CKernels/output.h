// The fused output pass: last layer, log prior, softmax, loss and gradients, tile by tile, so that
// the K values a voxel has exist only in the first-level cache. Included once per instruction set;
// see levels.h.
//
// A tile has 64 voxels and n entries (labels possible there), n rounded up to a multiple of 4 with
// entries of zero weight and no probability. Per tile:
//   rows     [64][padded C]  features h, a voxel after the other
//   columns  [padded C][64]  the same, transposed
//   packed   [n][padded C]   weights of the entries
//   values   [n][64]         logits, then probabilities, then gradients of the logits
// Products keep 4 rows of a result times COLUMNS vectors in registers.

#define TILE SEGPIPE_TILE
#define PADDED (SEGPIPE_MAX_CHANNELS)

typedef struct {
  float rows[TILE * PADDED];
  float columns[TILE * PADDED];
  float packed[(SEGPIPE_MAX_LABELS + 3) * PADDED];
  float values[(SEGPIPE_MAX_LABELS + 3) * TILE];
} LEVEL(tile);

// Asks for what the next tile will read, so that it has left main memory by then.
INLINE void prefetch(const segpipe_output *s, const float *features, size_t index) {
  const size_t first = index * TILE;
  if (first + TILE > s->voxels) return;
  for (size_t group = 0; group < (s->channels + 15) / 16; group++)
    for (size_t v = 0; v < TILE; v++)
      __builtin_prefetch(features + (group * s->voxels + first + v) * 16);
  const char *prior = (const char *)(s->log_prior + (size_t)s->start[index] * TILE);
  const char *end = (const char *)(s->log_prior + (size_t)s->start[index + 1] * TILE);
  for (; prior < end; prior += 64) __builtin_prefetch(prior);
}

// Fills rows, columns, packed and values (with logits plus log prior); returns n.
INLINE size_t tile_logits(const segpipe_output *s, const float *features, size_t index,
                          LEVEL(tile) *t) {
  const size_t padded = (s->channels + 15) / 16 * 16;
  const size_t first = index * TILE;
  const size_t present = s->voxels - first < TILE ? s->voxels - first : TILE;
  for (size_t group = 0; group < padded / 16; group++) {
    const lanes bias = s->feature_bias ? load(s->feature_bias + group * 16) : splat(0);
    for (size_t part = 0; part < TILE; part += 16) {
      lanes block[16];
      for (size_t v = 0; v < 16; v++) {
        lanes h = splat(0);
        if (part + v < present)
          h = load(features + (group * s->voxels + first + part + v) * 16);
        if (s->feature_bias) h = elu(h + bias);
        block[v] = h;
        store(t->rows + (part + v) * padded + group * 16, h);
      }
      transpose(block);
      for (size_t c = 0; c < 16; c++) store(t->columns + (group * 16 + c) * TILE + part, block[c]);
    }
  }
  const uint32_t begin = s->start[index];
  const size_t count = s->start[index + 1] - begin, n = (count + 3) & ~(size_t)3;
  for (size_t j = 0; j < n; j++)
    for (size_t c = 0; c < padded; c += 16)
      store(t->packed + j * padded + c,
            j < count ? load(s->weights + s->labels[begin + j] * padded + c) : splat(0));
  for (size_t j = 0; j < n; j += 4)
    for (size_t v = 0; v < TILE; v += 16 * COLUMNS) {
      lanes sum[4][COLUMNS];
      for (size_t a = 0; a < 4; a++)
        for (size_t b = 0; b < COLUMNS; b++)
          sum[a][b] = j + a < count
                          ? from_half(s->log_prior + (begin + j + a) * TILE + v + b * 16) +
                                s->bias[s->labels[begin + j + a]]
                          : splat(-60000);
      for (size_t c = 0; c < s->channels; c++) {
        const float *column = t->columns + c * TILE + v, *weight = t->packed + j * padded + c;
        for (size_t a = 0; a < 4; a++) {
          const float w = weight[a * padded];
          for (size_t b = 0; b < COLUMNS; b++) sum[a][b] += w * load(column + b * 16);
        }
      }
      for (size_t a = 0; a < 4; a++)
        for (size_t b = 0; b < COLUMNS; b++)
          store(t->values + (j + a) * TILE + v + b * 16, sum[a][b]);
    }
  return n;
}

// 1 in the lanes of voxels that exist.
INLINE lanes existing(const segpipe_output *s, size_t voxel) {
  if (voxel + 16 <= s->voxels) return splat(1);
  lanes mask;
  for (size_t i = 0; i < 16; i++) mask[i] = voxel + i < s->voxels ? 1.0f : 0.0f;
  return mask;
}

// Values of 16 voxels from logits to gradients with respect to them; returns the losses.
INLINE lanes tile_cross_entropy(const segpipe_output *s, const segpipe_loss *loss, size_t index,
                                size_t v, size_t n, float *values) {
  const uint8_t *labels = s->labels + s->start[index];
  const size_t count = s->start[index + 1] - s->start[index], voxel = index * TILE + v;
  const lanes exists = existing(s, voxel);
  ints target = -1;
  if (voxel + 16 <= s->voxels) {
    target = __builtin_convertvector(*(const loose_bytes *)(loss->target + voxel), ints);
  } else {
    for (size_t i = 0; voxel + i < s->voxels && i < 16; i++) target[i] = loss->target[voxel + i];
  }
  lanes most = splat(-3e38f), wanted = splat(-3e38f), sum = splat(0);
  for (size_t j = 0; j < count; j++) {
    lanes x = load(values + j * TILE);
    most = larger(most, x);
    wanted = target == (int)labels[j] ? x : wanted;
  }
  for (size_t j = 0; j < n; j++) {
    lanes e = exponential_below(load(values + j * TILE) - most);
    store(values + j * TILE, e);
    sum += e;
  }
  const lanes found = wanted > -1e38f ? splat(1) : splat(0);
  const lanes factor = found * loss->scale / sum, one = found * loss->scale;
  for (size_t j = 0; j < n; j++) {
    lanes g = load(values + j * TILE) * factor;
    if (j < count) g -= target == (int)labels[j] ? one : splat(0);
    store(values + j * TILE, g);
  }
  lanes value = found > 0 ? logarithm(sum) + most - wanted : splat(loss->missing);
  return value * exists * loss->scale;
}

// From gradients of the logits to those of the features (in place of `features`) and of the
// weights.
INLINE void tile_backward(const segpipe_output *s, float *features, float *partial, size_t index,
                          size_t n, LEVEL(tile) *t) {
  const size_t padded = (s->channels + 15) / 16 * 16, first = index * TILE;
  const uint8_t *labels = s->labels + s->start[index];
  const size_t count = s->start[index + 1] - s->start[index];
  const size_t present = s->voxels - first < TILE ? s->voxels - first : TILE;
  float *bias_sum = partial + s->label_count * padded;
  float *feature_sum = bias_sum + s->label_count * 16;
  for (size_t group = 0; group < padded / 16; group++) {
    lanes below = splat(0);
    for (size_t v = 0; v < TILE; v += ROWS) {
      lanes sum[ROWS];
      for (size_t a = 0; a < ROWS; a++) sum[a] = splat(0);
      for (size_t j = 0; j < n; j++) {
        const lanes weight = load(t->packed + j * padded + group * 16);
        for (size_t a = 0; a < ROWS; a++) sum[a] += t->values[j * TILE + v + a] * weight;
      }
      for (size_t a = 0; a < ROWS && v + a < present; a++) {
        lanes g = sum[a];
        if (s->feature_bias) g *= elu_slope(load(t->rows + (v + a) * padded + group * 16));
        below += g;
        store(features + (group * s->voxels + first + v + a) * 16, g);
      }
    }
    store(feature_sum + group * 16, load(feature_sum + group * 16) + below);
    for (size_t j = 0; j < count; j += 4) {
      lanes even[4], odd[4];
      for (size_t a = 0; a < 4; a++) even[a] = odd[a] = splat(0);
      for (size_t v = 0; v < TILE; v += 2) {
        const lanes here = load(t->rows + v * padded + group * 16);
        const lanes next = load(t->rows + (v + 1) * padded + group * 16);
        for (size_t a = 0; a < 4; a++) {
          even[a] += t->values[(j + a) * TILE + v] * here;
          odd[a] += t->values[(j + a) * TILE + v + 1] * next;
        }
      }
      for (size_t a = 0; a < 4 && j + a < count; a++) {
        float *to = partial + labels[j + a] * padded + group * 16;
        store(to, load(to) + (even[a] + odd[a]));
      }
    }
  }
  for (size_t j = 0; j < count; j++) {
    lanes sum = splat(0);
    for (size_t v = 0; v < TILE; v += 16) sum += load(t->values + j * TILE + v);
    store(bias_sum + labels[j] * 16, load(bias_sum + labels[j] * 16) + sum);
  }
}

static double LEVEL(output_loss)(const segpipe_output *s, const segpipe_loss *loss, float *features,
                                 float *partial, size_t first, size_t last) {
  LEVEL(tile) t __attribute__((aligned(64)));
  double value = 0;
  for (size_t index = first; index < last; index++) {
    if (index + 1 < last) prefetch(s, features, index + 1);
    const size_t n = tile_logits(s, features, index, &t);
    lanes losses = splat(0);
    for (size_t v = 0; v < TILE; v += 16)
      losses += tile_cross_entropy(s, loss, index, v, n, t.values + v);
    value += total(losses);
    if (partial) tile_backward(s, features, partial, index, n, &t);
  }
  return value;
}

static void LEVEL(output_decode)(const segpipe_output *s, const float *features, uint8_t *argmax,
                                 float *log_normaliser, size_t first, size_t last) {
  LEVEL(tile) t __attribute__((aligned(64)));
  for (size_t index = first; index < last; index++) {
    if (index + 1 < last) prefetch(s, features, index + 1);
    tile_logits(s, features, index, &t);
    const uint8_t *labels = s->labels + s->start[index];
    const size_t count = s->start[index + 1] - s->start[index];
    for (size_t v = 0; v < TILE; v += 16) {
      lanes most = splat(-3e38f), sum = splat(0);
      ints best = 0;
      for (size_t j = 0; j < count; j++) {
        lanes x = load(t.values + j * TILE + v);
        best = x > most ? (ints)(int)labels[j] : best;
        most = larger(most, x);
      }
      for (size_t j = 0; j < count; j++) sum += exponential_below(load(t.values + j * TILE + v) - most);
      const lanes normaliser = logarithm(sum) + most;
      const bytes winners = __builtin_convertvector(best, bytes);
      const size_t voxel = index * TILE + v;
      if (voxel >= s->voxels) break;
      const size_t present = s->voxels - voxel < 16 ? s->voxels - voxel : 16;
      if (argmax) memcpy(argmax + voxel, &winners, present);
      if (log_normaliser) memcpy(log_normaliser + voxel, &normaliser, present * sizeof(float));
    }
  }
}

// Probabilities at the voxels of tiles [first, last), [voxels of the tiles][padded K].
static void LEVEL(output_probabilities)(const segpipe_output *s, const float *features,
                                        float *probabilities, size_t first, size_t last) {
  const size_t padded = (s->label_count + 15) / 16 * 16;
  LEVEL(tile) t __attribute__((aligned(64)));
  for (size_t index = first; index < last; index++) {
    if (index + 1 < last) prefetch(s, features, index + 1);
    tile_logits(s, features, index, &t);
    const uint8_t *labels = s->labels + s->start[index];
    const size_t count = s->start[index + 1] - s->start[index];
    const size_t present = s->voxels - index * TILE < TILE ? s->voxels - index * TILE : TILE;
    float *out = probabilities + (index - first) * TILE * padded;
    memset(out, 0, present * padded * sizeof(float));
    for (size_t v = 0; v < TILE; v += 16) {
      lanes most = splat(-3e38f), sum = splat(0);
      for (size_t j = 0; j < count; j++) most = larger(most, load(t.values + j * TILE + v));
      for (size_t j = 0; j < count; j++) {
        const lanes e = exponential_below(load(t.values + j * TILE + v) - most);
        store(t.values + j * TILE + v, e);
        sum += e;
      }
      for (size_t j = 0; j < count; j++) {
        const lanes f = load(t.values + j * TILE + v) / sum;
        for (size_t i = 0; i < 16 && v + i < present; i++) out[(v + i) * padded + labels[j]] = f[i];
      }
    }
  }
}

#undef TILE
#undef PADDED

// Hot loops of the networks, compiled for several instruction sets and dispatched at run time.
//
// Every function works on a part of the problem that its caller chooses (voxels, planes, tiles), so
// that the caller decides about threads and about the order of sums. Activations have C channels
// over `voxels` voxels, stored [padded C / 16][voxels][16]. `padded` means: rounded up to a multiple
// of 16 and filled with zeros.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Widest instruction set in use: 0 baseline, 1 AVX2 with FMA, 2 AVX-512.
int segpipe_kernel_level(void);
/// Uses no instruction set above `level`; for tests.
void segpipe_limit_kernel_level(int level);

// MARK: Elementwise

/// out[i] = exp(in[i]); relative error at most 3e-7, inputs clamped to [-87.3, 88.3].
void segpipe_exp(const float *in, float *out, size_t count);
/// x[i] = ELU(x[i]).
void segpipe_elu(float *x, size_t count);
/// gradient[i] *= ELU'(x) where y[i] = ELU(x); sum[i % 16] += the result.
void segpipe_elu_backward(const float *y, float *gradient, size_t count, float sum[16]);
/// y[i] += x[i].
void segpipe_add(const float *x, float *y, size_t count);
/// Sum of squares of x.
double segpipe_sum_of_squares(const float *x, size_t count);

typedef struct {
  float rate;      // learning rate divided by 1 - beta1^t
  float beta1;
  float beta2;
  float root;      // 1 / sqrt(1 - beta2^t)
  float epsilon;
  float scale;     // applied to the gradient first (clipping)
} segpipe_adam;
/// One step of Adam on `count` weights; both moments are updated in place.
void segpipe_adam_step(const segpipe_adam *adam, float *weights, const float *gradient,
                       float *first, float *second, size_t count);

// MARK: First layer: 3x3x3 convolution of stride 2 on a one-hot volume that is never built

typedef struct {
  size_t depth, height, width;  // of the label volume
  size_t labels;                // K
  size_t channels;              // C, of the output
} segpipe_gather;
/// out[c, o] = ELU(bias[c] + sum over taps t of table[t][label at 2 o + t - 1][c]) for output
/// planes in [first, last). table: [27][K + 1][padded C], row K all zeros (outside of the volume);
/// bias: [padded C].
void segpipe_gather_forward(const segpipe_gather *shape, const uint8_t *labels, const float *table,
                            const float *bias, float *out, size_t first, size_t last);
/// table[t][label at 2 o + t - 1][c] += gradient[c, o] for output planes in [first, last).
void segpipe_gather_backward(const segpipe_gather *shape, const uint8_t *labels,
                             const float *gradient, float *table, size_t first, size_t last);

// MARK: Upsampling convolution as a transposed one

/// Kernels [outputs][inputs][3][3][3] on a nearest-upsampled volume to kernels
/// [inputs][outputs][4][4][4] of the equal transposed convolution of stride 2.
void segpipe_fold_kernel(const float *kernel, float *folded, size_t outputs, size_t inputs);
/// The transpose of `segpipe_fold_kernel`: gradients of the folded kernel are added to those of the
/// kernel.
void segpipe_unfold_gradient(const float *folded, float *kernel, size_t outputs, size_t inputs);

// MARK: Convolutions

/// Voxels [begin, end) of a row; none where begin = end.
typedef struct {
  uint32_t begin, end;
} segpipe_span;

/// A wide volume with C channels and a narrow one with O:
///   narrow[o, j] = sum over c, t of weight[o, c, t] wide[c, stride j + t - 1],  t in [0, kernel)
/// where wide voxels outside of the volume are zero. A narrow extent is the wide one divided by the
/// stride, rounded up. C and O are multiples of 16. Combinations: kernel 3 or 4 with stride 2;
/// kernel 3 with stride 1.
typedef struct {
  size_t wide_channels, wide_depth, wide_height, wide_width;
  size_t narrow_channels, narrow_depth, narrow_height, narrow_width;
  size_t kernel, stride;
  int linear;    // whether the bias comes without ELU
  int adds;      // whether the output is added to, by `up` alone
  int sparse;    // whether wide is mostly zeros, which `down` of stride 1 then passes over
} segpipe_convolution;

/// narrow from wide, for narrow rows [first, last) (row = z * height + y) of every channel. packed:
/// [O / 16][C / 16][kernel^3][16 c][16 o]. With a bias [O], it is added and ELU applied
/// unless linear. With `spans`, one a narrow row, only those are made.
void segpipe_convolution_down(const segpipe_convolution *shape, const segpipe_span *spans,
                              const float *wide, const float *packed, const float *bias,
                              float *narrow, size_t first, size_t last);
/// The same for kernel 3 and stride 1 in tiles of 2x2x2 voxels, for rows of tiles [first, last)
/// (z / 2 * rows of tiles in a plane + y / 2), by fewer products. packed:
/// [O / 16][C / 16][64][16 c][16 o], what `segpipe_tile_weights` makes of each pair of channels.
void segpipe_convolution_tiles(const segpipe_convolution *shape, const segpipe_span *spans,
                               const float *wide, const float *packed, const float *bias,
                               float *narrow, size_t first, size_t last);
/// From the 3x3x3 weights of a pair of channels.
void segpipe_tile_weights(const float weights[27], float tiles[64]);
/// The transpose, for stride 2: wide from narrow, for wide rows [first, last).
/// packed: [C / 16][O / 16][kernel^3][16 o][16 c]. With a bias [C], it is added and ELU applied
/// unless linear. With `spans`, one a wide row, only those are made, from an even voxel on.
void segpipe_convolution_up(const segpipe_convolution *shape, const segpipe_span *spans,
                            const float *narrow, const float *packed, const float *bias,
                            float *wide, size_t first, size_t last);
/// Gradient of the weights over narrow rows [first, last), added to packed
/// [O / 16][C / 16][kernel^3][16 c][16 o].
void segpipe_convolution_weights(const segpipe_convolution *shape, const float *wide,
                                 const float *narrow, float *packed, size_t first, size_t last);
/// c += a b for a [rows][depth], b [depth][16], c [rows][16]; rows is a multiple of 84.
void segpipe_product(const float *a, const float *b, float *c, size_t rows, size_t depth);

// MARK: Output pass

/// Voxels of a tile of the label prior.
#define SEGPIPE_TILE 64
/// Limits of the output pass.
#define SEGPIPE_MAX_LABELS 256
#define SEGPIPE_MAX_CHANNELS 64

/// The last layer and the log prior it is added to. Tile i holds voxels [64 i, 64 i + 64) and the
/// labels possible there: entries [start[i], start[i + 1]). Entry e is label labels[e] with log
/// prior log_prior[e][0..63] in IEEE half precision; at most -60000 means impossible.
typedef struct {
  size_t voxels, channels;
  size_t label_count;             // K
  const float *weights;           // [K][padded C]
  const float *bias;              // [K]
  const float *feature_bias;      // [padded C], or NULL
  const uint32_t *start;          // [tiles + 1]
  const uint8_t *labels;          // [entries]
  const uint16_t *log_prior;      // [entries][64]
} segpipe_output;

/// What the output pass is to lower: - log f_target, with f the softmax of logits plus log prior.
typedef struct {
  const uint8_t *target;          // [voxels]
  float missing;                  // loss of a target that its tile has no entry for; no gradient
  float scale;                    // of loss and gradients
} segpipe_loss;

/// Loss of tiles [first, last), summed over voxels. `features` are x with h = ELU(x +
/// feature_bias), or h itself if feature_bias is NULL. Unless `partial` is NULL, they are overwritten
/// by the gradient with respect to x (or h), and the gradients of the weights are added to it:
/// weights [K][padded C], bias [K][16] (16 addends each), feature bias [padded C].
double segpipe_output_loss(const segpipe_output *layer, const segpipe_loss *loss, float *features,
                           float *partial, size_t first, size_t last);

/// Most probable label and log of the sum over labels of exp(logit + log prior), at the voxels of
/// tiles [first, last). Either output may be NULL.
void segpipe_output_decode(const segpipe_output *layer, const float *features, uint8_t *argmax,
                           float *log_normaliser, size_t first, size_t last);

/// Softmax over labels of logit + log prior at the voxels of tiles [first, last), 64 rows of
/// [padded K] a tile; a label that its tile has no entry for gets 0.
void segpipe_output_probabilities(const segpipe_output *layer, const float *features,
                                  float *probabilities, size_t first, size_t last);

// MARK: Output pass that warps a prior

/// Residual logits beyond this are cut.
#define SEGPIPE_LARGEST_LOGIT 30.0f
/// Code of a voxel that was not observed.
#define SEGPIPE_UNOBSERVED 65535

/// A prior over K labels on a grid, in bytes of 1/255, read at displaced positions and multiplied
/// by the exponential of residual logits:
///   mass_k(x) = (prior_k(x + reach shift(x)) + floor) exp(logit_k(x)),  f_k = mass_k / sum mass
/// Displacement and logits are given at the nodes of a lattice, one for every `factor` voxels along
/// each axis at the middle of these, and are linear between nodes; positions beyond the grid are
/// moved onto it. The labels of blocks (16 labels each) that no neighbour of the position has keep
/// the mass floor; where all eight neighbours know one label alone, no logits are added.
typedef struct {
  size_t depth, height, width;  // voxels, multiples of factor
  size_t factor;                // even
  size_t labels;                // K
  float floor;
  float reach;                  // voxels of displacement for a shift of 1
  const uint32_t *start;        // [voxels] first block of each voxel in values, in blocks
  const uint16_t *mask;         // [voxels] bit b: block b is stored
  const uint8_t *pure;          // [voxels] label that alone a voxel and its 7 neighbours have, or 255
  const uint8_t *values;        // [blocks stored][16]
  const float *shift;           // [nodes][16]: along width, height, depth
  const float *logits;          // [blocks][nodes][16]
} segpipe_warped;

enum { SEGPIPE_CROSS_ENTROPY = 0, SEGPIPE_JENSEN = 1, SEGPIPE_EXACT = 2, SEGPIPE_SQUARE = 3 };

/// What was observed, and what is to be lowered:
///   CROSS_ENTROPY  - log f_target                      target >= K: not observed
///   JENSEN         - sum over k of f_k table[code][k]   (logarithms)
///   EXACT          - log sum over k of f_k table[code][k]
///   SQUARE         1/2 (sum over k of f_k table[code][k])^2   (residuals)
typedef struct {
  int kind;
  const uint8_t *target;        // [voxels]
  const uint16_t *code;         // [voxels]
  const float *table;           // [codes][padded K]
  const float *weight;          // [K], of the loss where that label is the target; or NULL for 1
  float scale;                  // of loss and gradients
  size_t stride, phase;         // cells of the lattice that count: those whose position along the
                                // three axes sums to phase modulo stride
} segpipe_observed;

/// Loss of the voxels of one slab, summed; slabs are 0 ... depth / factor. Gradients with respect
/// to shift and logits are added to `shifts` and `logits` unless these are NULL. A slab adds to
/// lattice planes slab - 1 and slab: neighbours must not run at once.
double segpipe_warped_loss(const segpipe_warped *warped, const segpipe_observed *observed,
                           float *shifts, float *logits, size_t slab);
/// f at a row of voxels, [width][padded K], and, unless NULL, the log of the sum of masses [width].
void segpipe_warped_row(const segpipe_warped *warped, size_t z, size_t y, float *probabilities,
                        float *log_normaliser);

// MARK: Half precision

/// IEEE half precision, rounded to nearest even; beyond +-65504 it is clamped.
void segpipe_to_half(const float *in, uint16_t *out, size_t count);
void segpipe_from_half(const uint16_t *in, float *out, size_t count);

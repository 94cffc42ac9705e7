#include "networks.h"
#include <string.h>

// On one axis, with v the kernel of the transposed convolution out[2 i - 1 + t] += in[i] v[t] and w
// that of the convolution of the upsampled volume:
//   v[0] = w[2], v[1] = w[1] + w[2], v[2] = w[0] + w[1], v[3] = w[0].
static const float folding[4][3] = {{0, 0, 1}, {0, 1, 1}, {1, 1, 0}, {1, 0, 0}};

// u of three weights g on one axis of a tile; see tiles.h.
static const float filtering[4][3] = {
    {1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}, {0, 0, 1}};

// The same matrix along each axis: 3x3x3 numbers become 4x4x4.
static void widen(const float matrix[4][3], const float w[27], float v[64]) {
  float line[9][4], plane[3][16];
  for (int row = 0; row < 9; row++)
    for (int t = 0; t < 4; t++)
      line[row][t] = matrix[t][0] * w[row * 3] + matrix[t][1] * w[row * 3 + 1] +
                     matrix[t][2] * w[row * 3 + 2];
  for (int z = 0; z < 3; z++)
    for (int t = 0; t < 4; t++)
      for (int x = 0; x < 4; x++)
        plane[z][t * 4 + x] = matrix[t][0] * line[z * 3][x] + matrix[t][1] * line[z * 3 + 1][x] +
                              matrix[t][2] * line[z * 3 + 2][x];
  for (int t = 0; t < 4; t++)
    for (int x = 0; x < 16; x++)
      v[t * 16 + x] =
          matrix[t][0] * plane[0][x] + matrix[t][1] * plane[1][x] + matrix[t][2] * plane[2][x];
}

void segpipe_tile_weights(const float weights[27], float tiles[64]) {
  widen(filtering, weights, tiles);
}

void segpipe_fold_kernel(const float *kernel, float *folded, size_t outputs, size_t inputs) {
  for (size_t i = 0; i < inputs; i++)
    for (size_t o = 0; o < outputs; o++)
      widen(folding, kernel + (o * inputs + i) * 27, folded + (i * outputs + o) * 64);
}

void segpipe_unfold_gradient(const float *folded, float *kernel, size_t outputs, size_t inputs) {
  for (size_t i = 0; i < inputs; i++)
    for (size_t o = 0; o < outputs; o++) {
      const float *v = folded + (i * outputs + o) * 64;
      float *w = kernel + (o * inputs + i) * 27;
      float plane[3][16], line[9][4];
      for (int k = 0; k < 3; k++)
        for (int x = 0; x < 16; x++)
          plane[k][x] = folding[0][k] * v[x] + folding[1][k] * v[16 + x] +
                        folding[2][k] * v[32 + x] + folding[3][k] * v[48 + x];
      for (int z = 0; z < 3; z++)
        for (int k = 0; k < 3; k++)
          for (int x = 0; x < 4; x++)
            line[z * 3 + k][x] = folding[0][k] * plane[z][x] + folding[1][k] * plane[z][4 + x] +
                                 folding[2][k] * plane[z][8 + x] + folding[3][k] * plane[z][12 + x];
      for (int row = 0; row < 9; row++)
        for (int k = 0; k < 3; k++)
          w[row * 3 + k] += folding[0][k] * line[row][0] + folding[1][k] * line[row][1] +
                           folding[2][k] * line[row][2] + folding[3][k] * line[row][3];
    }
}

#include "networks.h"

// u of three weights g on one axis; see tiles.h.
static const float filtering[4][3] = {
    {1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}, {0, 0, 1}};

void segpipe_tile_weights(const float weights[27], float tiles[64]) {
  float line[9][4], plane[3][16];
  for (int row = 0; row < 9; row++)
    for (int f = 0; f < 4; f++)
      line[row][f] = filtering[f][0] * weights[row * 3] + filtering[f][1] * weights[row * 3 + 1] +
                     filtering[f][2] * weights[row * 3 + 2];
  for (int z = 0; z < 3; z++)
    for (int f = 0; f < 4; f++)
      for (int x = 0; x < 4; x++)
        plane[z][f * 4 + x] = filtering[f][0] * line[z * 3][x] +
                              filtering[f][1] * line[z * 3 + 1][x] +
                              filtering[f][2] * line[z * 3 + 2][x];
  for (int f = 0; f < 4; f++)
    for (int x = 0; x < 16; x++)
      tiles[f * 16 + x] = filtering[f][0] * plane[0][x] + filtering[f][1] * plane[1][x] +
                          filtering[f][2] * plane[2][x];
}

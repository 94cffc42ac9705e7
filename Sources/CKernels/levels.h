// One file per instruction set (level_*.c) sets the target, names its functions with LEVEL and
// includes this. COLUMNS, ROWS, POSITIONS and CHANNELS say how much of a product fits the
// registers, HALF_INSTRUCTIONS whether the set converts half precision.
#include "networks.h"
#include <string.h>

#include "vector.h"

#include "elementwise.h"
#include "gather.h"
#include "output.h"
#include "warp.h"
#include "convolution.h"
#include "tiles.h"

const kernel_table LEVEL(kernels) = {
    LEVEL(exp),         LEVEL(elu),           LEVEL(elu_backward),
    LEVEL(add),         LEVEL(sum_of_squares), LEVEL(adam_step),
    LEVEL(gather_forward), LEVEL(gather_backward),
    LEVEL(output_loss), LEVEL(output_decode), LEVEL(output_probabilities),
    LEVEL(down),        LEVEL(up),            LEVEL(weights),
    LEVEL(warp_loss),   LEVEL(warp_row),      LEVEL(product),
    LEVEL(tiles),
};

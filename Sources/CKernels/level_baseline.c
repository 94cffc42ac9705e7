// What every processor of the architecture can run.
#include "table.h"

#define LEVEL(name) name##_baseline
#define COLUMNS 1
#define ROWS 4
#define HALF_INSTRUCTIONS 0
#define POSITIONS 2
#define CHANNELS 1
#include "levels.h"

#include "table.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define LEVEL(name) name##_avx2
#define COLUMNS 1
#define ROWS 4
#define HALF_INSTRUCTIONS 1
#define POSITIONS 6
#define CHANNELS 1
#include "levels.h"
#pragma clang attribute pop
#endif

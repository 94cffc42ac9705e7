#include "table.h"

#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,f16c"))), \
    apply_to = function)
#define LEVEL(name) name##_avx512
#define COLUMNS 4
#define ROWS 16
#define HALF_INSTRUCTIONS 1
#define POSITIONS 14
#define CHANNELS 4
#include "levels.h"
#pragma clang attribute pop
#endif

// Hot loops, compiled for several instruction sets and dispatched at run time.
#pragma once
#include <stddef.h>
#include <stdint.h>

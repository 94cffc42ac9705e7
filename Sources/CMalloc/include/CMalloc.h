// What the allocator can be told; Swift's Glibc module leaves it out.
#pragma once
#include <malloc.h>

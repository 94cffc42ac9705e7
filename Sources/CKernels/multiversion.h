// MULTIVERSION before a function compiles it for several instruction sets; the best is chosen when the
// program starts.
#pragma once
#if defined(__x86_64__) && defined(__linux__)
#define MULTIVERSION \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MULTIVERSION
#endif

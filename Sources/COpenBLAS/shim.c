#include "COpenBLAS.h"

#if defined(__linux__)
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

// OpenBLAS takes memory while it is loaded, and where a limit on address space denies it that, it asks for ever.
// This runs before any library is set up, so that such a limit ends the program instead.
static void refuse_hopeless_limit(void) {
  static const char message[] =
      "segpipe: error: the limit on address space (ulimit -v) is below 320 MiB, too little to start\n"
      "  hint: Raise it; a whole head takes about 1.3 GiB.\n";
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur < (rlim_t)320 << 20) {
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0) {
      // There is nobody left to tell.
    }
    _exit(75);
  }
}

__attribute__((section(".preinit_array"), used)) static void (*const before_libraries)(void) =
    refuse_hopeless_limit;
#endif

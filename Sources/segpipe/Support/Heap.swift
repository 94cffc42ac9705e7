import CMalloc
import Foundation

/// The allocator's settings.
enum Heap {
  /// Keeps memory that was freed for what is allocated next. Volumes come and go by the dozen, and the kernel
  /// clears every page that it hands out anew: a tenth of the time of a segmentation.
  ///
  /// Where address space is limited (`ulimit -v`), it is what is scarce: nothing is kept, and threads share one
  /// heap instead of reserving one each.
  static func prepare() {
    var space = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &space) == 0,
      space.rlim_cur != rlim_t.max
    {
      _ = mallopt(M_ARENA_MAX, 1)
      return
    }
    // Below this size, in bytes, memory comes from the heap, whose unused end is returned beyond the same.
    let size: CInt = 1 << 30
    _ = mallopt(M_MMAP_THRESHOLD, size)
    _ = mallopt(M_TRIM_THRESHOLD, size)
  }
}

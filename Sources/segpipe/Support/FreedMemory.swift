import CMalloc

/// What becomes of memory that was freed.
enum FreedMemory {
  /// Keeps it for what is allocated next. Volumes come and go by the dozen, and the kernel clears every page
  /// that it hands out anew: a tenth of the time of a segmentation.
  static func keep() {
    // Below this size, in bytes, memory comes from the heap, whose unused end is returned beyond the same.
    let size: CInt = 1 << 30
    _ = mallopt(M_MMAP_THRESHOLD, size)
    _ = mallopt(M_TRIM_THRESHOLD, size)
  }
}

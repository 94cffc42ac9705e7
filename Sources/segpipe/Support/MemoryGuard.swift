import Anatomy
import Files
import Imaging
import Reports

/// Refuses to segment scans that would take more memory than there is, before they take any.
struct MemoryGuard {
  private let memory: SegmentationMemory
  /// How scans are read.
  private let reading: ReadOptions

  init(_ memory: SegmentationMemory, _ reading: ReadOptions = ReadOptions()) {
    (self.memory, self.reading) = (memory, reading)
  }

  /// Before an atlas is read for scans; of several, each is judged when its turn comes.
  ///
  /// - Throws: `AnatomyError.tooLittleMemory`.
  func checkBeforeAtlas(_ scans: [String]) throws {
    guard let scan = scans.first else { return }
    let voxels = scans.count == 1 ? voxels(of: scan) : 0
    try check(memory.whole(voxels: voxels), for: scan)
  }

  /// Before an atlas is read for scans that are not known yet. Throws the same.
  func checkAtlas(_ folder: String) throws { try check(memory.reading, for: folder) }

  /// Before a scan is read, the atlas being in memory. Throws the same.
  func check(_ scan: String) throws {
    try check(memory.scan(voxels: voxels(of: scan)), for: scan)
  }

  private func check(_ needed: Int, for path: String) throws {
    try AnatomyError.checkMemory(
      for: path, needed: needed, available: Machine.current().memoryToBeHad)
  }

  /// Standard input and pipes tell nothing in advance, for what is read of them is gone; what cannot be read fails when
  /// it is read.
  private func voxels(of scan: String) -> Int {
    guard FileStamp(of: scan) != nil else { return 0 }
    return (try? ImageReader.readHeader(scan, reading))?.grid.count ?? 0
  }
}

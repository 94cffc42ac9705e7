import CDeflate
import CKernels
import CNIfTI
import COpenBLAS
import CSPNG

/// A library that segpipe computes or reads files with, as it is loaded now.
package struct Library: Codable, Equatable, Sendable {
  package let name: String
  package let version: String
  /// What it chose for this processor, where it chooses and tells.
  package let kernel: String?

  /// All of them.
  package static func loaded() -> [Library] {
    [
      // Neither of the first two can be asked at run time.
      Library(name: "libnifti2", version: "linked", kernel: nil),
      Library(name: "libdeflate", version: LIBDEFLATE_VERSION_STRING, kernel: nil),
      Library(name: "zlib", version: text(zlibVersion()), kernel: nil),
      Library(name: "libspng", version: text(spng_version_string()), kernel: nil),
      openBLAS(), kernels(),
    ]
  }

  private static func openBLAS() -> Library {
    let words = text(openblas_get_config()).split(separator: " ")
    let version = words.count > 1 && words[0] == "OpenBLAS" ? String(words[1]) : "unknown"
    return Library(name: "OpenBLAS", version: version, kernel: text(openblas_get_corename()))
  }

  /// The loops compiled with this program, for the instruction set that it chose.
  private static func kernels() -> Library {
    let level = ["baseline", "AVX2", "AVX-512"][Int(segpipe_kernel_level())]
    return Library(name: "CKernels", version: Version.current, kernel: level)
  }

  private static func text(_ string: UnsafePointer<CChar>?) -> String {
    string.map { String(cString: $0) } ?? "unknown"
  }
}

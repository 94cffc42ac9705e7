import CDeflate
import CNIfTI
import COneDNN
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
      openBLAS(), oneDNN(),
    ]
  }

  private static func openBLAS() -> Library {
    let words = text(openblas_get_config()).split(separator: " ")
    let version = words.count > 1 && words[0] == "OpenBLAS" ? String(words[1]) : "unknown"
    return Library(name: "OpenBLAS", version: version, kernel: text(openblas_get_corename()))
  }

  private static func oneDNN() -> Library {
    guard let version = dnnl_version()?.pointee else {
      return Library(name: "oneDNN", version: "unknown", kernel: nil)
    }
    return Library(
      name: "oneDNN", version: "\(version.major).\(version.minor).\(version.patch)",
      kernel: instructionSet(dnnl_get_effective_cpu_isa()))
  }

  private static func instructionSet(_ isa: dnnl_cpu_isa_t) -> String {
    let known: [(dnnl_cpu_isa_t, String)] = [
      (dnnl_cpu_isa_sse41, "SSE4.1"), (dnnl_cpu_isa_avx, "AVX"), (dnnl_cpu_isa_avx2, "AVX2"),
      (dnnl_cpu_isa_avx2_vnni, "AVX2 VNNI"), (dnnl_cpu_isa_avx512_core, "AVX-512"),
      (dnnl_cpu_isa_avx512_core_vnni, "AVX-512 VNNI"),
      (dnnl_cpu_isa_avx512_core_bf16, "AVX-512 BF16"),
      (dnnl_cpu_isa_avx512_core_amx, "AVX-512 AMX"),
    ]
    return known.first { $0.0 == isa }?.1 ?? "other"
  }

  private static func text(_ string: UnsafePointer<CChar>?) -> String {
    string.map { String(cString: $0) } ?? "unknown"
  }
}

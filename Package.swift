// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "segpipe",
  products: [
    .executable(name: "segpipe", targets: ["segpipe"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C libraries: module maps and the thinnest shims.
    .target(name: "CNIfTI", linkerSettings: [.linkedLibrary("nifti2"), .linkedLibrary("znz")]),
    .target(name: "CDeflate", linkerSettings: [.linkedLibrary("deflate"), .linkedLibrary("z")]),
    .target(name: "COpenBLAS", linkerSettings: [.linkedLibrary("openblas")]),
    .target(name: "CMalloc"),
    .target(name: "CSPNG", linkerSettings: [.linkedLibrary("spng")]),
    // Hot loops, compiled per instruction set and dispatched at run time.
    .target(name: "CKernels", exclude: ["README.md"]),

    .target(name: "Parallel", exclude: ["README.md"]),
    .target(name: "Files", exclude: ["README.md"]),

    .target(
      name: "Imaging", dependencies: ["CNIfTI", "CDeflate", "CSPNG", "Files", "Parallel"],
      exclude: ["README.md"]),
    .target(
      name: "Networks", dependencies: ["COpenBLAS", "CKernels", "Files", "Parallel"],
      exclude: ["README.md"]),
    .target(
      name: "Anatomy",
      dependencies: ["Imaging", "Networks", "COpenBLAS", "CKernels", "Files", "Parallel"],
      exclude: ["README.md"]),
    .target(
      name: "Pipelines", dependencies: ["Files", .product(name: "Yams", package: "Yams")],
      exclude: ["README.md"]),
    .target(
      name: "Reports",
      dependencies: [
        "Imaging", "Networks", "Anatomy", "Files", "Pipelines", "Parallel", "CKernels", "CNIfTI",
        "CDeflate", "COpenBLAS", "CSPNG", .product(name: "Mustache", package: "swift-mustache"),
      ], exclude: ["README.md"]),
    .executableTarget(
      name: "segpipe",
      dependencies: [
        "Imaging", "Networks", "Anatomy", "Pipelines", "Reports", "Files", "Parallel", "CMalloc",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], exclude: ["README.md"]),

    // What several test targets need.
    .target(name: "TestSupport", path: "Tests/TestSupport"),

    .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"]),
    .testTarget(name: "PipelinesTests", dependencies: ["Pipelines", "Files"]),
    .testTarget(
      name: "ImagingTests",
      dependencies: ["Imaging", "CNIfTI", "CDeflate", "Files", "Parallel", "TestSupport"],
      exclude: ["Fixtures", "Measures/golden_measures.py"]),
    .testTarget(name: "ParallelTests", dependencies: ["Parallel"]),
    .testTarget(
      name: "NetworksTests", dependencies: ["Networks", "CKernels", "Parallel"],
      exclude: ["Fixtures/make_fixtures.py", "Fixtures/make_warping_fixtures.py"],
      resources: [
        .copy("Fixtures/autoencoder.safetensors"), .copy("Fixtures/warping.safetensors"),
      ]),
    .testTarget(
      name: "AnatomyTests", dependencies: ["Anatomy", "Imaging", "CKernels", "Files", "Parallel"]),
    .testTarget(
      name: "ReportsTests",
      dependencies: ["Reports", "Anatomy", "Files", "Imaging", "Networks", "Pipelines", "CSPNG"]),
    .testTarget(
      name: "EndToEndTests", dependencies: ["Anatomy", "Imaging", "TestSupport", "segpipe"],
      exclude: ["Engines"]),
  ],
  swiftLanguageModes: [.v6]
)

import Anatomy
import Testing

@testable import Reports

/// The words of what goes wrong between sound files and a segmentation, and their exit codes.
@Suite struct AnatomyDiagnosisTests {
  @Test(arguments: [
    (
      AnatomyError.unknownLabels(path: "m.nii", values: [7, 9]),
      "m.nii: values that the label table does not name: 7, 9", Reports.ExitStatus.badData
    ),
    (
      .unknownLabels(path: "m.nii", values: Array(1...12)),
      "m.nii: values that the label table does not name: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, and 2 more",
      .badData
    ),
    (
      .emptyMap(path: "m.nii"),
      "m.nii: a label map without any label, expected at least one structure", .badData
    ),
    (
      .badGrid(extents: SIMD3(1, 2, 3), expected: 8...1024),
      "the atlas grid would have 1x2x3 voxels, expected 8 to 1024 along each axis", .usage
    ),
    (
      .tooManyLabels(found: 300, most: 256), "300 labels or tissue groups, expected at most 256",
      .badData
    ),
    (.tooManyMaps(most: 65535), "more than 65535 label maps", .badData),
    (.noMaps(path: "maps"), "maps: no label maps to learn from", .noInput),
    (.noMaps(path: ""), "no label maps to learn from", .noInput),
    (
      .sameName("a", paths: ["x/a.nii", "y/a.nii"]),
      "two label maps would be known as 'a': x/a.nii, y/a.nii", .usage
    ),
    (
      .noContrast(path: "s.nii"),
      "s.nii: almost every voxel has the same intensity: there is no contrast to go by", .badData
    ),
    (
      .hopelessFit(path: "s.nii", reason: "no voxel belongs to any structure"),
      "s.nii: the atlas does not fit: no voxel belongs to any structure", .badData
    ),
    (
      .badAtlas(path: "a", found: "no such file", expected: "a JSON file"),
      "a: no usable atlas: no such file, expected a JSON file", .badData
    ),
    (
      .otherAtlas(path: "p", found: "head 1", expected: "liver 2"),
      "p: trained with atlas head 1, expected liver 2", .badData
    ),
    (
      .otherTraining(path: "p", what: "settings were a, now b"),
      "p: holds a training that was begun with other settings: settings were a, now b",
      .cannotCreate
    ),
    (
      .tooLittleMemory(needed: 3 << 29, available: 700 << 20),
      "training takes about 1.5 GiB of memory, 700.0 MiB are to be had", .temporary
    ),
    (
      .tooLittleMemory(path: "s.nii", needed: 3 << 29, available: 700 << 20),
      "s.nii: this takes about 1.5 GiB of memory, 700.0 MiB are to be had", .temporary
    ),
    (
      .allHeldOut(maps: 4), "--hold-out names all label maps (4): none is left to learn from",
      .usage
    ),
    (
      .tooFewSamples(path: "s.nii", found: 27, needed: 1000),
      "s.nii: the structures of interest and what is around them take 27 samples of 8 mm3, "
        + "expected at least 1000",
      .badData
    ),
    (
      .otherWeights(path: "e", found: "trained encoder of scans", expected: "trained prior"),
      "e: holds a trained encoder of scans, expected a trained prior", .badData
    ),
    (
      .otherWeights(path: "e", found: nil, expected: "trained prior"),
      "e: holds no weights of segpipe, expected a trained prior", .badData
    ),
    (
      .unfitGrid(atlas: "ct", extents: SIMD3(30, 32, 40), reason: "multiples of 4, please"),
      "atlas ct: the network cannot take its grid of 30x32x40 voxels: multiples of 4, please",
      .usage
    ),
    (
      .priorNotForScans(path: "p", architecture: "R1"),
      "p: a prior of architecture R1, expected the default, by which scans are read", .badData
    ),
    (.noPrior(tried: ["a", "b"]), "no trained prior was found; tried a, b", .noInput),
    (
      .otherPrior(path: "z", found: "1", expected: "2"),
      "z: belongs to the decoder 1, that of the trained prior is 2", .badData
    ),
    (
      .noEncodings(path: "p"),
      "p: does not say how the encodings of label maps are distributed", .badData
    ),
    (
      .badMatrix(path: "m.txt", found: "2 rows of 4 numbers"),
      "m.txt: 2 rows of 4 numbers, expected an affine matrix that takes the scan to the atlas",
      .badData
    ),
    (
      .badIntensities(path: "s.json", found: "no key IntensityModel"),
      "s.json: no key IntensityModel, expected the intensities of every tissue group of the atlas",
      .badData
    ),
  ])
  func words(error: AnatomyError, message: String, status: Reports.ExitStatus) {
    let diagnosis = Diagnosis(of: error)
    #expect(diagnosis.message == message)
    #expect(diagnosis.status == status)
    #expect(diagnosis.hint?.isEmpty == false)
  }
}

import Anatomy

extension AnatomyError: Diagnosable {
  package var diagnosis: Diagnosis {
    switch self {
    // Label maps to learn from.
    case .unknownLabels(let path, let values): unknownLabels(path, values)
    case .emptyMap(let path):
      Diagnosis(
        "\(path): a label map without any label, expected at least one structure",
        hint: "Check that this is the label map, and that the table names its values.",
        status: .badData)
    case .tooManyLabels(let found, let most):
      Diagnosis(
        "\(found) labels or tissue groups, expected at most \(most)",
        hint: "Merge labels in the table: its column 'sources' lists values that count as one.",
        status: .badData)
    case .badGrid(let extents, let expected):
      Diagnosis(
        "the atlas grid would have \(extents.x)x\(extents.y)x\(extents.z) voxels, expected \(expected.lowerBound) to "
          + "\(expected.upperBound) along each axis",
        hint: "Choose another --spacing, or extents by --grid.", status: .usage)
    case .tooManyMaps(let most):
      Diagnosis(
        "more than \(most) label maps", hint: "Build the atlas from a part of them.",
        status: .badData)
    case .noMaps(let path):
      Diagnosis(
        path.isEmpty ? "no label maps to learn from" : "\(path): no label maps to learn from",
        hint: "Name label maps, or a folder that holds them as NIfTI or MGH files.",
        status: .noInput)
    case .unknownMaps(let names, let known): unknownMaps(names, known)
    case .allHeldOut(let maps):
      Diagnosis(
        "--hold-out names all label maps (\(maps)): none is left to learn from",
        hint: "Hold out fewer, or name more label maps.", status: .usage)
    case .sameName(let name, let paths):
      Diagnosis(
        "two label maps would be known as '\(name)': " + paths.joined(separator: ", "),
        hint: "Rename one of them, or leave it out.", status: .usage)

    // A scan to be segmented.
    case .noContrast(let path):
      Diagnosis(
        "\(path): almost every voxel has the same intensity: there is no contrast to go by",
        hint: "Check that this is the scan and not a mask.", status: .badData)
    case .hopelessFit(let path, let reason):
      Diagnosis(
        "\(path): the atlas does not fit: \(reason)",
        hint: "Check with segpipe inspect where the header puts the scan, and that the atlas is "
          + "one of this part of the body.", status: .badData)
    case .tooFewSamples(let path, let found, let needed):
      Diagnosis(
        "\(path): the structures of interest and what is around them take \(found) samples of "
          + "8 mm3, expected at least \(needed)",
        hint: "For a small anatomy, multiply the voxel sizes of label maps and scans by the same "
          + "number, such as ten, and build the atlas again.", status: .badData)

    // Other files.
    case .badAtlas(let path, let found, let expected):
      Diagnosis(
        "\(path): no usable atlas: \(found), expected \(expected)",
        hint: "Name the folder that holds atlas-NAME_description.json, or build it again with "
          + "segpipe build-atlas.", status: .badData)
    case .badMatrix(let path, let found):
      Diagnosis(
        "\(path): \(found), expected an affine matrix that takes the scan to the atlas",
        hint: "Known are ITK's affine transforms, FSL's .mat, and plain rows of four numbers; "
          + "--affine-format tells which.", status: .badData)
    case .badIntensities(let path, let found):
      Diagnosis(
        "\(path): \(found), expected the intensities of every tissue group of the atlas",
        hint:
          "Name the .json file that segpipe segment has written beside a label map of the same atlas.",
        status: .badData)

    // Trained priors and what belongs to them.
    case .otherAtlas(let path, let found, let expected):
      Diagnosis(
        "\(path): trained with atlas \(found), expected \(expected)",
        hint: "Name the atlas it was trained with by --atlas, or train it again with this one.",
        status: .badData)
    case .unfitGrid(let atlas, let extents, let reason):
      Diagnosis(
        "atlas \(atlas): the network cannot take its grid of "
          + "\(extents.x)x\(extents.y)x\(extents.z) voxels: \(reason)",
        hint: "Build it again with such extents: build-atlas --grid.", status: .usage)
    case .priorNotForScans(let path, let architecture):
      Diagnosis(
        "\(path): a prior of architecture \(architecture), expected the default, by which scans are read",
        hint: "Train one with segpipe train-prior --architecture default.", status: .badData)
    case .otherWeights(let path, let found, let expected):
      Diagnosis(
        "\(path): holds " + (found.map { "a \($0)" } ?? "no weights of segpipe")
          + ", expected a \(expected)",
        hint: "Name the file of a \(expected).", status: .badData)
    case .otherTraining(let path, let what):
      Diagnosis(
        "\(path): holds a training that was begun with other settings: \(what)",
        hint: "Repeat them to go on with it, or start anew with --overwrite.",
        status: .cannotCreate)
    case .tooLittleMemory(let path, let needed, let available):
      tooLittleMemory(path, needed, available)
    case .noPrior(let tried):
      Diagnosis(
        "no trained prior was found; tried " + tried.joined(separator: ", "),
        hint: "Train one with segpipe train-prior, or name one with --prior.", status: .noInput)
    case .otherPrior(let path, let found, let expected):
      Diagnosis(
        "\(path): belongs to the decoder \(found), that of the trained prior is \(expected)",
        hint: "Name the prior that it was made with by --prior, or make it again.",
        status: .badData)
    case .noEncodings(let path):
      Diagnosis(
        "\(path): does not say how the encodings of label maps are distributed",
        hint: "Draw from N(0, I) with --from normal, or train it again.", status: .badData)
    }
  }

  private func unknownLabels(_ path: String, _ values: [Int32]) -> Diagnosis {
    let shown = values.prefix(10).map(String.init).joined(separator: ", ")
    let more = values.count > 10 ? ", and \(values.count - 10) more" : ""
    return Diagnosis(
      "\(path): values that the label table does not name: \(shown)\(more)",
      hint: "Add them to the table, as labels or as sources of a label that they belong to.",
      status: .badData)
  }

  private func unknownMaps(_ names: [String], _ known: [String]) -> Diagnosis {
    Diagnosis(
      "no label map is called \(names.joined(separator: ", "))",
      hint: "There are " + known.prefix(20).joined(separator: ", ")
        + (known.count > 20 ? ", and \(known.count - 20) more." : "."), status: .usage)
  }

  private func tooLittleMemory(_ path: String?, _ needed: Int, _ available: Int) -> Diagnosis {
    Diagnosis(
      (path.map { "\($0): this" } ?? "training")
        + " takes about \(ByteText.of(needed)) of memory, \(ByteText.of(available)) are to be had",
      hint: path == nil
        ? "Stop other programs, or take an atlas of a coarser grid or a smaller --latent-size."
        : "Stop other programs, raise the memory limit, or segment with --no-prior, which takes less.",
      status: .temporary)
  }
}

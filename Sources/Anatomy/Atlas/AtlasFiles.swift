import Files
import Foundation
import Imaging
import Parallel

/// An atlas as files, in the BIDS layout of atlases:
///
///     FOLDER/atlas-NAME_description.json
///     FOLDER/tpl-SPACE/tpl-SPACE_atlas-NAME_res-1_probseg.nii.gz   4-D, one volume a label, in 1/255
///     FOLDER/tpl-SPACE/tpl-SPACE_atlas-NAME_res-1_probseg.json     label order, mixture beyond the grid
///     FOLDER/tpl-SPACE/tpl-SPACE_atlas-NAME_res-1_probseg.tsv      label table
///     FOLDER/tpl-SPACE/tpl-SPACE_atlas-NAME_volumes.tsv            volumes over the label maps, mm3
///     FOLDER/maps.tsv                                              what became of each label map
package enum AtlasFiles {
  /// The sidecar of the probabilities.
  private struct Sidecar: Codable {
    var labelMap: [String]
    var resolution: String
    var spatialReference: String
    /// Probability of each label beyond the grid.
    var outside: [Float]
    var origin: AtlasOrigin

    enum CodingKeys: String, CodingKey {
      case labelMap = "LabelMap"
      case resolution = "Resolution"
      case spatialReference = "SpatialReference"
      case outside = "OutsideProbabilities"
      case origin = "Origin"
    }
  }

  private struct Description: Codable {
    var name: String
    var license: String
    var sampleSize: Int
    var space: String
    var generator: String

    enum CodingKeys: String, CodingKey {
      case name = "Name"
      case license = "License"
      case sampleSize = "SampleSize"
      case space = "Space"
      case generator = "GeneratedBy"
    }
  }

  private static func stem(_ folder: String, name: String, space: String) -> String {
    "\(folder)/tpl-\(space)/tpl-\(space)_atlas-\(name)"
  }

  /// Writes an atlas; the description comes last, so a folder that has one is whole.
  ///
  /// An atlas that was there stays whole until the new files lie on the disk under temporary names; then
  /// its description goes, the files get their names, and what the old one leaves under other names
  /// goes. `maps`, a table of the label maps, lies beside the description as `maps.tsv`.
  ///
  /// - Throws: `ImagingError` or `FileError` when a file cannot be written.
  package static func write(
    _ atlas: Atlas, to folder: String, license: String, generator: String, maps: [UInt8]? = nil,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    let prior = atlas.prior
    let stem = stem(folder, name: atlas.name, space: atlas.space)
    let description = descriptionPath(folder, name: atlas.name)
    for path in [description, stem + "_volumes.tsv"] {
      try OutputGuard.check(path, overwrite: true, inputs: [])
    }
    var labelling = VolumeStreamWriter.Labelling()
    labelling.slope = 1.0 / 255
    labelling.displayRange = (0, 1)
    labelling.description = "segpipe location prior \(atlas.name)"
    let writer = try VolumeStreamWriter(
      stem + "_res-1_probseg.nii.gz", grid: prior.grid, volumes: prior.table.count, type: .uint8,
      labelling: labelling, level: 9)
    for label in 0..<prior.table.count {
      progress(label, prior.table.count)
      try writer.write(prior.channel(label))
    }
    let spacing = prior.grid.spacing.max()
    let sidecar = Sidecar(
      labelMap: prior.table.labels.map(\.name), resolution: "\(spacing) mm",
      spatialReference: atlas.space, outside: prior.outside, origin: atlas.origin)
    var files = AtomicFileSet()
    try files.add(try writer.staged())
    try files.add(try prior.table.encoded(as: .tsv), to: stem + "_res-1_probseg.tsv")
    try files.add(try JSONBytes.file(sidecar), to: stem + "_res-1_probseg.json")
    try files.add(Array(volumesTable(atlas).utf8), to: stem + "_volumes.tsv")
    if let maps { try files.add(maps, to: folder + "/maps.tsv") }
    let words = Description(
      name: atlas.name, license: license, sampleSize: atlas.origin.maps, space: atlas.space,
      generator: generator)
    var last = AtomicFileSet()
    try last.add(try JSONBytes.file(words), to: description)
    AtlasFolder(folder).removeDescriptions()
    try files.commit()
    AtlasFolder(folder).removeFiles(except: stem)
    try last.commit()
  }

  /// The description of an atlas in a folder.
  package static func descriptionPath(_ folder: String, name: String) -> String {
    folder + "/" + AtlasFolder.description(of: name)
  }

  private static func volumesTable(_ atlas: Atlas) -> String {
    var text = "index\tname\tmaps\tmean_mm3\tdeviation_mm3\tleast_mm3\tmost_mm3\n"
    for (label, volume) in zip(atlas.prior.table.labels, atlas.volumes) {
      let numbers =
        volume.count == 0
        ? ["n/a", "n/a", "n/a", "n/a"]
        : [volume.mean, volume.deviation, volume.least, volume.most].map { decimal($0) }
      text +=
        ([String(label.index), label.name, String(volume.count)] + numbers)
        .joined(separator: "\t") + "\n"
    }
    return text
  }

  /// With one decimal, whatever the locale.
  private static func decimal(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(abs(tenths % 10))"
  }

  /// Reads an atlas.
  ///
  /// - Throws: `FileError.missing` when the folder is not there, `AnatomyError.badAtlas` when files are missing or
  ///   disagree, `ImagingError` and `LabelTableError` when one is not sound.
  package static func read(_ folder: String) throws -> Atlas {
    let (name, description) = try description(in: folder)
    let stem = stem(folder, name: name, space: description.space)
    let sidecar: Sidecar = try readJSON(stem + "_res-1_probseg.json")
    let table = try LabelTable.read(stem + "_res-1_probseg.tsv")
    guard table.labels.map(\.name) == sidecar.labelMap, sidecar.outside.count == table.count else {
      throw AnatomyError.badAtlas(
        path: stem + "_res-1_probseg.json", found: "another list of labels",
        expected: "the \(table.count) labels of the .tsv file beside it, in its order")
    }
    guard table.count <= ChannelMap.mostLabels else {
      throw AnatomyError.badAtlas(
        path: stem + "_res-1_probseg.tsv", found: "\(table.count) labels",
        expected: "\(ChannelMap.mostLabels) at most")
    }
    guard sidecar.outside.allSatisfy({ (0...1).contains($0) }),
      abs(sidecar.outside.reduce(0, +) - 1) < 0.01
    else {
      throw AnatomyError.badAtlas(
        path: stem + "_res-1_probseg.json",
        found: "OutsideProbabilities \(sidecar.outside.map { "\($0)" }.joined(separator: ", "))",
        expected: "numbers from 0 to 1 that sum to 1")
    }
    let path = stem + "_res-1_probseg.nii.gz"
    let stored = try StoredVolumes<UInt8>(path)
    guard stored.count == table.count else {
      throw AnatomyError.badAtlas(
        path: path, found: "\(stored.count) volumes",
        expected: "\(table.count), one for each label of the .tsv file beside it")
    }
    let prior = stored.withVoxels {
      LocationPrior(grid: stored.grid, table: table, outside: sidecar.outside, channels: $0)
    }
    if let (voxel, sum) = prior.unfinished {
      throw AnatomyError.badAtlas(
        path: path, found: "probabilities that sum to \(sum)/255 at voxel \(voxel)",
        expected: "255/255 at every voxel")
    }
    return Atlas(
      name: name, space: description.space, prior: prior,
      volumes: try readVolumes(stem + "_volumes.tsv", table: table), origin: sidecar.origin)
  }

  /// An atlas's name, without reading the rest.
  ///
  /// - Throws: `AnatomyError.badAtlas`.
  package static func name(of folder: String) throws -> String { try description(in: folder).name }

  /// Voxels of an atlas's grid, and how many labels it has, without reading the rest.
  ///
  /// - Throws: `AnatomyError.badAtlas`, `ImagingError`.
  package static func size(of folder: String) throws -> (voxels: Int, labels: Int) {
    let (name, description) = try description(in: folder)
    let stem = stem(folder, name: name, space: description.space)
    let header = try ImageReader.readHeader(stem + "_res-1_probseg.nii.gz")
    return (header.grid.count, header.volumes)
  }

  /// An atlas's labels, without reading the rest.
  ///
  /// - Throws: `AnatomyError.badAtlas`, `ImagingError`, `LabelTableError`.
  package static func table(of folder: String) throws -> LabelTable {
    let (name, description) = try description(in: folder)
    let stem = stem(folder, name: name, space: description.space)
    return try LabelTable.read(stem + "_res-1_probseg.tsv")
  }

  /// Volumes of the structures of interest over an atlas's label maps, by label, without reading the rest.
  ///
  /// - Throws: `AnatomyError.badAtlas`, `ImagingError`, `LabelTableError`.
  package static func volumes(of folder: String) throws -> [Int32: VolumeStatistics] {
    let (name, description) = try description(in: folder)
    let stem = stem(folder, name: name, space: description.space)
    let table = try LabelTable.read(stem + "_res-1_probseg.tsv")
    let volumes = try readVolumes(stem + "_volumes.tsv", table: table)
    let isOfInterest = table.isOfInterest
    let known = table.labels.indices.filter { isOfInterest[$0] }
    return Dictionary(known.map { (table.labels[$0].index, volumes[$0]) }) { first, _ in first }
  }

  /// The one description that a finished atlas has. Throws: `FileError.missing`, `AnatomyError.badAtlas`.
  private static func description(
    in folder: String
  ) throws -> (name: String, content: Description) {
    guard FileManager.default.fileExists(atPath: folder) else {
      throw FileError.missing(path: folder)
    }
    let descriptions = AtlasFolder.descriptions(in: folder)
    guard descriptions.count == 1, let file = descriptions.first else {
      throw AnatomyError.badAtlas(
        path: folder,
        found: descriptions.isEmpty
          ? "no \(AtlasFolder.description(of: "NAME"))" : descriptions.joined(separator: ", "),
        expected: "one \(AtlasFolder.description(of: "NAME")), as build-atlas writes it")
    }
    return (AtlasFolder.name(fromDescription: file), try readJSON("\(folder)/\(file)"))
  }

  private static func readJSON<Value: Decodable>(_ path: String) throws -> Value {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw AnatomyError.badAtlas(
        path: path, found: "no such file", expected: "a JSON file, as build-atlas writes it")
    }
    do {
      return try JSONDecoder().decode(Value.self, from: data)
    } catch {
      throw AnatomyError.badAtlas(
        path: path, found: "not the expected JSON", expected: "what build-atlas writes")
    }
  }

  private static func readVolumes(_ path: String, table: LabelTable) throws -> [VolumeStatistics] {
    var result = [VolumeStatistics](repeating: VolumeStatistics(), count: table.count)
    guard let data = FileManager.default.contents(atPath: path) else { return result }
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n").dropFirst() {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard fields.count == 7, let value = Int32(fields[0]),
        let label = table.position(of: value), let count = Int(fields[2])
      else {
        throw AnatomyError.badAtlas(
          path: path, found: "line '\(line)'", expected: "seven columns and a label of the table")
      }
      let numbers = fields[3...].compactMap { Double($0) }
      if numbers.count == 4 {
        result[label] = VolumeStatistics(
          count: count, mean: numbers[0], deviation: numbers[1], least: numbers[2],
          most: numbers[3])
      }
    }
    return result
  }
}

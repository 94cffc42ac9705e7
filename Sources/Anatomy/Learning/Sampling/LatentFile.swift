import Foundation
import Imaging
import Networks

/// The latent of a label map as a file: all that is left of the map, apart from its grid.
///
///     z              [d] F32      the mean of q
///     logVariance    [d] F32
///     affine         [3, 4] F64   world mm of the map to atlas world mm
package struct LatentFile: Sendable {
  /// What a latent belongs to.
  package struct Description: FileDescription {
    package static let key = "segpipe_latent"
    package static let kind = "latent"
    package static let currentVersion = 2

    package var version = currentVersion
    package var atlas: String
    /// `Atlas.fingerprint`.
    package var atlasFingerprint: String
    /// `PriorFile.decoderDigest`.
    package var decoder: String
  }

  package let latent: GaussianLatent
  package let affine: Affine
  package let description: Description

  /// The latent of a map that `affine` takes to the model's atlas.
  ///
  /// - Throws: `NetworkError`.
  package init(_ latent: GaussianLatent, affine: Affine, of model: PriorModel) throws {
    self.latent = latent
    self.affine = affine
    description = Description(
      atlas: model.atlas.name, atlasFingerprint: model.file.description.atlasFingerprint,
      decoder: try model.file.decoderDigest())
  }

  /// Reads a file.
  ///
  /// - Throws: `AnatomyError.otherWeights`; `NetworkError`, `.damagedFile` where it is not a whole latent.
  package init(_ path: String) throws {
    func damaged(_ reason: String) -> NetworkError { .damagedFile(path: path, reason: reason) }
    let (file, description, _) = try Description.read(path)
    let (z, logVariance) = (try file.floats("z"), try file.floats("logVariance"))
    let matrix = try file.doubles("affine")
    guard z.count == logVariance.count, matrix.count == 12,
      (z + logVariance).allSatisfy(\.isFinite), matrix.allSatisfy(\.isFinite)
    else { throw damaged("its numbers are no latent and affine") }
    let affine = Affine(rows: (0..<3).map { Array(matrix[4 * $0..<4 * $0 + 4]) })
    guard affine.determinant != 0 else { throw damaged("its affine cannot be inverted") }
    self.description = description
    self.affine = affine
    latent = GaussianLatent(mean: z, logVariance: logVariance)
  }

  /// Reads a file for a model.
  ///
  /// - Throws: as above, `AnatomyError.otherAtlas` and `.otherPrior` if it belongs to others.
  package init(_ path: String, for model: PriorModel) throws {
    try self.init(path)
    let fingerprint = model.file.description.atlasFingerprint
    guard description.atlasFingerprint == fingerprint else {
      throw AnatomyError.otherAtlas(
        path: path, found: "\(description.atlas) \(description.atlasFingerprint)",
        expected: "\(model.atlas.name) \(fingerprint)")
    }
    let decoder = try model.file.decoderDigest()
    guard description.decoder == decoder, latent.mean.count == model.latentCount else {
      throw AnatomyError.otherPrior(path: path, found: description.decoder, expected: decoder)
    }
  }

  /// Writes the file atomically. Throws `NetworkError.inputOutput`.
  package func write(to path: String) throws {
    try Safetensors.write(
      [
        .floats("z", latent.mean), .floats("logVariance", latent.logVariance),
        .doubles("affine", [3, 4], Array(affine.rows.joined())),
      ], metadata: [Description.key: description.sortedJSON()], to: path)
  }

  /// Whether a file begins as one of these does: eight bytes, then JSON. Images do not.
  package static func isLatent(_ path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? file.close() }
    let head = (try? file.read(upToCount: 9)) ?? Data()
    return head.count == 9 && head[8] == UInt8(ascii: "{")
  }
}

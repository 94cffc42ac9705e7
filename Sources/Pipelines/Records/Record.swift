import Files

/// What a finished stage leaves: enough to tell later whether it would give the same again.
package struct Record: Codable, Equatable, Sendable {
  /// One file.
  package struct Entry: Codable, Equatable, Sendable {
    /// An input's name, or an output's path in the workspace; for a file of an input folder its path there
    /// follows the name.
    package let name: String
    /// Nil for an optional input that was not there.
    package let sha256: String?
    package let stamp: FileStamp?

    init(_ name: String, _ digest: FileDigest?) {
      self.name = name
      (sha256, stamp) = (digest?.sha256, digest?.stamp)
    }

    /// Whether content, not stamp, is the same.
    func hasContent(of other: Entry) -> Bool { name == other.name && sha256 == other.sha256 }
  }

  package let stage: String
  package let version: Int
  package let parameters: [StageParameter]
  package var inputs: [Entry]
  package var outputs: [Entry]

  /// Raised when records are laid out differently: older ones then do not hold.
  static let schema = 1
  private var schema = Record.schema

  init(_ plan: StagePlan, inputs: [Entry], outputs: [Entry]) {
    (stage, version, parameters) = (plan.name, plan.version, plan.parameters)
    (self.inputs, self.outputs) = (inputs, outputs)
  }

  var isOfThisSchema: Bool { schema == Self.schema }
}

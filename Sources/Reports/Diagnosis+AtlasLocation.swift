import Anatomy

extension AtlasLocationError: Diagnosable {
  package var diagnosis: Diagnosis {
    Diagnosis(
      "the built-in atlas '\(name)' was not found; tried " + tried.joined(separator: ", "),
      hint: "Set SEGPIPE_ATLASES to the folder of the atlases, or name an atlas with --atlas.",
      status: .noInput)
  }
}

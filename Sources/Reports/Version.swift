/// Which segpipe this is.
package enum Version {
  /// As in CHANGELOG.md and in the release's name.
  package static let current = "0.1.0"
}

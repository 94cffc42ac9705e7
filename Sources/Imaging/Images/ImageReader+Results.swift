extension ImageReader {
  /// What the header of an entropy image calls it.
  package static let entropyName = "segpipe entropy"

  /// Whether a file is what segpipe made of a scan rather than a scan: a label map, posteriors or an entropy image, which
  /// its header tells. Scans that segpipe wrote, such as conformed ones, are scans.
  ///
  /// False for what cannot be read.
  package static func isResult(_ path: String) -> Bool {
    guard let file = try? InputFile(path), let source = try? ByteSource(file) else { return false }
    return withUnsafeTemporaryAllocation(byteCount: 540, alignment: 16) { buffer in
      guard let got = try? source.read(into: buffer),
        case .header(let fields) = NIfTIHeader.recognise(
          UnsafeRawBufferPointer(rebasing: buffer.prefix(got))),
        fields.descrip.hasPrefix("segpipe ")
      else { return false }
      return fields.intentCode == 1002 || fields.intentName == entropyName
        || (fields.dim[0] > 3 && fields.dim[4] > 1)
    }
  }
}

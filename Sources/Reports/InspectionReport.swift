import Foundation
import Imaging

/// What `segpipe inspect` says about one file.
package struct InspectionReport: Encodable {
  package struct Remark: Encodable {
    let level: String
    let check: String
    let message: String
    let fix: String
  }

  let path: String
  let format: String?
  let gzipped: Bool?
  let extents: [Int]?
  let spacing: [Double]?
  let orientation: String?
  let affine: [[Double]]?
  let qformCode: Int?
  let sformCode: Int?
  let datatype: String?
  let slope: Double?
  let intercept: Double?
  let description: String?
  let minimum: Float?
  let maximum: Float?
  let notFinite: Int?
  let isLabelMap: Bool?
  let findings: [Remark]
  let error: String?
  let hint: String?
  package let exitCode: Int32

  package init(_ inspection: Inspection) {
    let header = inspection.header
    let diagnosis = inspection.error?.diagnosis
    path = inspection.path
    format = header?.format.rawValue
    gzipped = header?.isGzipped
    extents = header?.extents
    spacing = header.map { [$0.grid.spacing.x, $0.grid.spacing.y, $0.grid.spacing.z] }
    orientation = header?.orientation.name
    affine = header?.grid.affine.rows
    qformCode = header?.fields.qformCode
    sformCode = header?.fields.sformCode
    datatype = header?.voxelType.name
    slope = header?.fields.scaling.slope
    intercept = header?.fields.scaling.intercept
    description = header?.fields.descrip
    minimum = inspection.range?.lowerBound
    maximum = inspection.range?.upperBound
    notFinite = header == nil ? nil : inspection.notFinite
    isLabelMap = inspection.range == nil ? nil : inspection.isWhole
    findings = inspection.findings.map {
      Remark(level: $0.level.rawValue, check: $0.check, message: $0.message, fix: $0.fix)
    }
    error = diagnosis?.message
    hint = diagnosis?.hint
    exitCode = diagnosis?.status.rawValue ?? 0
  }

  /// Lines for a person.
  package var text: String {
    var lines = [path]
    func add(_ name: String, _ value: String?) {
      guard let value, !value.isEmpty else { return }
      lines.append("  " + name.padding(toLength: 13, withPad: " ", startingAt: 0) + value)
    }
    add("format", format.map { $0 + (gzipped == true ? ", gzipped" : "") })
    add("voxels", extents.map { $0.map(String.init).joined(separator: " x ") })
    add("voxel size", spacing.map { $0.map(short).joined(separator: " x ") + " mm" })
    add("axes", orientation)
    for (number, row) in (affine ?? []).enumerated() {
      add(number == 0 ? "to world mm" : "", row.map(short).joined(separator: "  "))
    }
    if let qformCode, let sformCode { add("form codes", "qform \(qformCode), sform \(sformCode)") }
    if let datatype, let slope, let intercept {
      let scaled = slope != 1 || intercept != 0
      add("datatype", datatype + (scaled ? ", times \(short(slope)) plus \(short(intercept))" : ""))
    }
    if let minimum, let maximum {
      add("values", "\(short(Double(minimum))) to \(short(Double(maximum)))")
    }
    if let isLabelMap { add("content", isLabelMap ? "whole numbers from 0" : "intensities") }
    add("description", description.map(printable))
    for finding in findings where finding.level != "error" {
      lines.append("  \(finding.level): \(finding.message). \(finding.fix) [\(finding.check)]")
    }
    if let error {
      lines.append("  error: \(error)")
      if let hint { lines.append("    hint: \(hint)") }
    } else {
      lines.append(
        "  sound" + (findings.contains { $0.level == "warning" } ? ", with warnings" : ""))
    }
    return lines.joined(separator: "\n")
  }

  /// A JSON array of reports, keys sorted. Throws: an encoding error.
  package static func json(_ reports: [InspectionReport]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // A header may hold anything; JSON has no word for these.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return String(decoding: try encoder.encode(reports), as: UTF8.self)
  }

  /// Text from a header as a terminal can take it: control characters and marks of direction spelled out.
  private func printable(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format: scalar.escaped(asASCII: true)
      default: String(scalar)
      }
    }.joined()
  }

  private func short(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e9 else { return "\(value)" }
    let rounded = (value * 10000).rounded() / 10000
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }
}

import Foundation
import Testing

import Imaging

@Suite struct LabelFormatTests {
  private func read(_ text: String) throws -> LabelTable {
    try LabelTable(bytes: Array(text.utf8), file: "f")
  }

  private func problem(of text: String) -> LabelTableError? {
    do {
      _ = try read(text)
      return nil
    } catch {
      return error as? LabelTableError
    }
  }

  static let full =
    "index\tname\tabbreviation\tcolor\tmapping\tgroup\tpartner\tsources\n"
    + "0\tUnknown\tn/a\t#000000\t0\tbackground\tn/a\tn/a\n"
    + "2\tLeft-WM\tL-WM\t#f5f5f5\t2\twhite\t41\t77,251\n"
    + "41\tRight-WM\tR-WM\t#f5f5f5\t2\twhite\t2\tn/a\n"

  @Test func theNativeFormatLosesNothing() throws {
    let table = try read(Self.full)
    #expect(table.labels[1].sources == [77, 251])
    #expect(table.labels[1].abbreviation == "L-WM")
    #expect(String(decoding: try table.encoded(as: .tsv), as: UTF8.self) == Self.full)
  }

  @Test func lineEndsAndByteOrderMarkDoNotMatter() throws {
    let plain = try read(Self.full)
    #expect(try read("\u{FEFF}" + Self.full.replacing("\n", with: "\r\n")) == plain)
    #expect(try read(Self.full.replacing("\n", with: "\r")) == plain)
  }

  @Test func columnsMayBeMissingAndInAnyOrder() throws {
    let table = try read("# made by hand\nname\textra\tindex\nHeart muscle\tx\t4\n")
    #expect(table.labels[1].name == "Heart muscle")
    #expect(table.labels[1].group == "Heart muscle")
    #expect(table.labels[1].color == .distinct(4))
  }

  static let freesurfer = """
    #No. Label Name:            R   G   B   A

    0   Unknown                 0   0   0   0
    10  Left-Thalamus           0   118 14  0
    49  Right-Thalamus          0   118 14  0
    # comment
    14  3rd-Ventricle           204 182 142
    """

  @Test func freeSurferNamesGivePartnersAndGroups() throws {
    let table = try read(Self.freesurfer)
    #expect(table.labels.map(\.index) == [0, 10, 14, 49])
    #expect(table.labels[1].partner == 49)
    #expect(table.labels[3].group == "Thalamus")
    #expect(table.labels[2].color == LabelColor(red: 204, green: 182, blue: 142))
  }

  @Test func fastSurferIsRead() throws {
    let table = try read(
      "ID\tLabelName\tR\tG\tB\tA\n0\tUnknown\t0\t0\t0\t0\n2\tLeft-WM\t245\t1\t2\t0\n")
    #expect(table.labels.map(\.name) == ["Unknown", "Left-WM"])
  }

  @Test func itkSnapNamesAreQuoted() throws {
    let text = """
      ################################################
      # ITK-SnAP Label Description File
      ################################################
          0     0    0    0        0  0  0    "Clear Label"
          1   255    0    3        1  1  1    "Left atrium"
      """
    let table = try read(text)
    #expect(table.labels[1].name == "Left atrium")
    #expect(table.labels[1].color == LabelColor(red: 255, green: 0, blue: 3))
    let withoutHeader = try read("1 255 0 3 1.0 1 1 \"Left atrium\"\n")
    #expect(withoutHeader.labels[1] == table.labels[1])
  }

  @Test(arguments: [LabelTableFormat.freesurfer, .itksnap])
  func valuesNamesAndColoursSurvive(_ format: LabelTableFormat) throws {
    let table = try read(Self.freesurfer)
    let again = try LabelTable(bytes: try table.encoded(as: format), file: nil)
    #expect(again == table)
  }

  @Test func slicerFilesAreAsSlicerReadsThem() throws {
    let table = try read("index\tname\tcolor\n3\tLeft atrium\t#010203\n")
    let lines = String(decoding: try table.encoded(as: .slicer), as: UTF8.self)
      .split(separator: "\n")
    #expect(lines[2...] == ["0 background 0 0 0 0", "3 Left_atrium 1 2 3 255"])
  }

  @Test func errorsNameTheLine() {
    let head = "index\tname\tcolor\n1\ta\t#010203\n"
    #expect(
      problem(of: head + "1\tb\tn/a\n")
        == LabelTableError(file: "f", line: 3, .repeatedValue(1, first: "a", firstLine: 2)))
    #expect(problem(of: head + "\n-1\tb\tn/a\n")?.line == 4)
    #expect(problem(of: head + "2\tb\t#01020\n")?.problem == .notAColor(text: "#01020"))
    #expect(problem(of: head + "2\tb\n")?.problem == .fieldCount(found: 2, expected: "3"))
    #expect(problem(of: head + "2\t\t\n")?.problem == .emptyName)
    #expect(problem(of: head + "2.5\tb\t\n")?.problem == .notANumber(column: "index", text: "2.5"))
    #expect(problem(of: head + "9999999999\tb\t\n")?.problem == .indexTooLarge(9_999_999_999))
    #expect(
      problem(of: Self.freesurfer + "\n5 X 0 256 0 0\n")
        == LabelTableError(file: "f", line: 8, .colorOutOfRange(channel: "G", value: 256)))
    #expect(problem(of: Self.freesurfer + "\n5 X 0 -1 0 0\n")?.line == 8)
    #expect(problem(of: Self.freesurfer + "\n-5 X 0 1 0 0\n")?.problem == .negativeIndex(-5))
    #expect(problem(of: Self.freesurfer + "\n10 X 0 1 0 0\n")?.line == 8)
    #expect(problem(of: "1 300 0 3 1 1 1 \"x\"")?.line == 1)
    #expect(problem(of: "{ \"a\": 1 }")?.problem == .unknownFormat)
    #expect(problem(of: "\n \n")?.problem == .noLabels)
    #expect(problem(of: "index\tname\tname\n")?.problem == .repeatedColumn("name"))
  }

  @Test func bytesThatAreNoTextAreRefused() {
    #expect(throws: LabelTableError(file: "f", .notText(byte: 1))) {
      try LabelTable(bytes: [31, 0, 1], file: "f")
    }
    #expect(throws: LabelTableError(file: "f", line: 1, .notText(byte: 0))) {
      try LabelTable(bytes: [0xC3, 0x28], file: "f")
    }
  }

  /// Any cut and any changed byte of a good file is read or refused, never a crash.
  @Test func damagedFilesNeverCrash() {
    for text in [Self.full, Self.freesurfer] {
      let bytes = Array(text.utf8)
      for place in bytes.indices {
        _ = try? LabelTable(bytes: Array(bytes[..<place]), file: nil)
        for value: UInt8 in [0, 9, 10, 34, 35, 45, 57, 200, 255] {
          var damaged = bytes
          damaged[place] = value
          _ = try? LabelTable(bytes: damaged, file: nil)
        }
      }
    }
  }

  @Test func theHeadsTableIsWhole() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let table = try LabelTable.read(root.appendingPathComponent("atlases/head/labels.tsv").path)
    #expect(table.count == 42)
    for (merged, label) in [(25, 2), (57, 41), (79, 41), (137, 31), (164, 63), (511, 507)] {
      #expect(table.label(of: Int32(merged))?.index == Int32(label))
    }
    for (position, label) in table.labels.enumerated() where label.name.hasPrefix("Left-") {
      let partner = try #require(table.partnerOfLabel[position])
      #expect(table.labels[partner].name == "Right-" + label.name.dropFirst(5))
      #expect(table.labels[partner].group == label.group)
    }
  }
}

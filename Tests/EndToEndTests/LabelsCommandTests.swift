import Foundation
import Testing

@Suite struct LabelsCommandTests {
  private let table = "index\tname\tcolor\n1\tLeft-X\t#010203\n2\tRight-X\t#010203\n"

  @Test func tablesAreConvertedThereAndBack() throws {
    try Scratch.use { folder in
      let start = folder + "/in put 🧠.tsv"
      try table.write(toFile: start, atomically: true, encoding: .utf8)
      #expect(try Program.run("labels", "convert", start, folder + "/new/a.txt").status == 0)
      #expect(
        try Program.run(
          "labels", "convert", folder + "/new/a.txt", folder + "/b.x", "--format", "itksnap"
        ).status == 0)
      let back = try Program.run("labels", "convert", folder + "/b.x", folder + "/c.tsv", "-q")
      #expect(back.status == 0)
      #expect(back.errors.isEmpty)
      #expect(
        try String(contentsOfFile: folder + "/c.tsv", encoding: .utf8) == """
          index\tname\tabbreviation\tcolor\tmapping\tgroup\tpartner\tsources
          0\tbackground\tn/a\t#000000\tn/a\tbackground\tn/a\tn/a
          1\tLeft-X\tn/a\t#010203\tn/a\tX\t2\tn/a
          2\tRight-X\tn/a\t#010203\tn/a\tX\t1\tn/a

          """)
    }
  }

  @Test func nothingForeignIsReplacedUnasked() throws {
    try Scratch.use { folder in
      let input = folder + "/a.tsv"
      let output = folder + "/b.tsv"
      try table.write(toFile: input, atomically: true, encoding: .utf8)
      try "mine".write(toFile: output, atomically: true, encoding: .utf8)
      let refused = try Program.run("labels", "convert", input, output)
      #expect(refused.status == 73)
      #expect(refused.errors.hasPrefix("segpipe: error: \(output)"))
      #expect(try String(contentsOfFile: output, encoding: .utf8) == "mine")
      #expect(try Program.run("labels", "convert", input, output, "--overwrite").status == 0)
      #expect(try Program.run("labels", "convert", input, input, "--overwrite").status == 64)
    }
  }

  /// Tables of every format are known again, and a file that only speaks of segpipe is not taken for one.
  @Test func ownTablesAreReplaced() throws {
    try Scratch.use { folder in
      let input = folder + "/a.tsv"
      // Values as wide as those of the Allen atlases.
      let wide = table + "100000\tBig\t#010203\n312782546\tLeft-Y\t#010203\n"
      try wide.write(toFile: input, atomically: true, encoding: .utf8)
      for ending in ["tsv", "txt", "label", "ctbl"] {
        let output = folder + "/o." + ending
        for _ in 0..<2 { #expect(try Program.run("labels", "convert", input, output).status == 0) }
        let back = try Program.run("labels", "convert", output, folder + "/\(ending)-back.tsv")
        #expect(back.status == 0, "\(back.errors)")
        let text = try String(contentsOfFile: folder + "/\(ending)-back.tsv", encoding: .utf8)
        #expect(text.contains("\n100000\tBig\t") && text.contains("\n312782546\tLeft-Y\t"))
        try "notes on segpipe".write(toFile: output, atomically: true, encoding: .utf8)
        #expect(try Program.run("labels", "convert", input, output).status == 73)
      }
    }
  }

  @Test func badTablesAreRefusedByLine() throws {
    try Scratch.use { folder in
      let input = folder + "/a.tsv"
      try (table + "2\tagain\t#010203\n").write(toFile: input, atomically: true, encoding: .utf8)
      let result = try Program.run("labels", "convert", input, folder + "/b.tsv")
      #expect(result.status == 65)
      #expect(
        result.errors == """
          segpipe: error: \(input), line 4: label value 2 already stands for 'Right-X' (line 3)
            hint: Each value, merged ones too, may stand for one label only.

          """)
      #expect(!FileManager.default.fileExists(atPath: folder + "/b.tsv"))
      let missing = try Program.run("labels", "convert", folder + "/z.tsv", folder + "/b.tsv")
      #expect(missing.status == 66)
    }
  }
}

import Foundation
import Imaging
import Testing

/// What the command reads and writes, and how it ends.
@Suite struct SegmentCommandTests {
  private let atlas = ["--atlas", TinyAtlas.folder]

  private func write(_ path: String, on grid: Grid = TinyAtlas.grid) throws {
    try ImageWriter.write(
      scan: TinyAtlas.scan(on: grid), like: nil, to: path, description: "test")
  }

  private func names(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  private func json(_ path: String) throws -> [String: Any] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  /// Nothing of a pipe is read in advance: what is read of it is gone.
  @Test func pipesAreRead() throws {
    try Scratch.use { folder in
      try write(folder + "/scan.nii.gz")
      let options = "--atlas '\(TinyAtlas.folder)' -q"
      let result = try Program.shell(
        """
        cd '\(folder)' && segpipe segment scan.nii.gz -o file.nii.gz \(options) &&
        segpipe segment <(cat scan.nii.gz) -o pipe.nii.gz \(options)
        """)
      #expect(result.status == 0, "\(result.errors)")
      #expect(try fileBytes(folder + "/pipe.nii.gz") == fileBytes(folder + "/file.nii.gz"))
    }
  }

  @Test func twoOutputsInOnePlaceAreRefused() throws {
    try Scratch.use { folder in
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/link.nii.gz", withDestinationPath: "seg.nii.gz")
      for other in ["seg.nii.gz", "./seg.nii.gz", "link.nii.gz"] {
        let result = try Program.run(
          "segment", folder + "/scan.nii.gz", "-o", folder + "/seg.nii.gz", "--entropy",
          folder + "/" + other)
        #expect(result.status == 64 && result.errors.contains("two outputs"), "\(result.errors)")
      }
    }
  }

  @Test func everyOutputOfOneScan() throws {
    try Scratch.use { folder in
      try write(folder + "/scan.nii.gz")
      let result = try Program.run(
        ["segment", folder + "/scan.nii.gz", "-o", folder + "/new/seg.nii.gz"] + atlas + [
          "--posteriors", folder + "/p.nii", "--posterior-bits", "16",
          "--volumes", folder + "/v.tsv", "--qc", folder + "/q.png",
          "--save-affine", folder + "/a.tfm", "--report", folder + "/r.html",
        ])
      try #require(result.status == 0, "\(result.errors)")
      #expect(result.output.isEmpty)
      #expect(result.errors.contains("atlas: tiny (given)"))
      #expect(
        names(folder) == [
          "a.tfm", "new", "p.json", "p.nii", "q.png", "r.html", "scan.nii.gz", "v.tsv",
        ])
      #expect(names(folder + "/new") == ["seg.json", "seg.nii.gz"])

      let labels = try ImageReader.readLabels(folder + "/new/seg.nii.gz")
      #expect(labels.header.fields.descrip.hasPrefix("segpipe "))
      #expect(labels.header.fields.descrip.hasSuffix(" tiny"))
      #expect(labels.header.voxelType == .uint8)
      let posteriors = try StoredVolumes<UInt16>(folder + "/p.nii")
      try #require(posteriors.count == 3)
      let voxels = posteriors.grid.count
      var sums = [Int](repeating: 0, count: voxels)
      var (best, chosen) = (sums, [Int32](repeating: 0, count: voxels))
      posteriors.withVoxels {
        for (i, value) in $0.enumerated() {
          sums[i % voxels] += Int(value)
          if Int(value) > best[i % voxels] {
            (best[i % voxels], chosen[i % voxels]) = (Int(value), Int32(i / voxels))
          }
        }
      }
      #expect(sums.allSatisfy { $0 == 65535 })
      #expect(abs(posteriors.header.fields.slope * 65535 - 1) < 1e-6)
      // Posteriors in the scan's own order: their maxima are the labels, ties of rounding apart.
      let other = zip(chosen, labels.volume.voxels).count { $0 != $1 }
      #expect(other < voxels / 1000)

      let rows = try String(contentsOfFile: folder + "/v.tsv", encoding: .utf8)
        .split(separator: "\n").map { $0.split(separator: "\t") }
      #expect(rows.count == 3)
      #expect(rows[1][0] == "scan" && rows[1][1] == "1")
      let counted = labels.volume.voxels.count { $0 == 1 }
      #expect(Int(rows[1][3]) == counted && Double(rows[1][4]) == 27 * Double(counted))
      #expect(abs((Double(rows[1][5]) ?? 0) / (27 * Double(counted)) - 1) < 0.02)

      let sidecar = try json(folder + "/new/seg.json")
      #expect((sidecar["Atlas"] as? [String: Any])?["Name"] as? String == "tiny")
      #expect(sidecar["Kind"] as? String == "whole")
      #expect((sidecar["IntensityModel"] as? [Any])?.count == 3)
      #expect((sidecar["Quality"] as? [String: Any])?["Verdict"] as? String == "PASS")
      #expect(
        try json(folder + "/p.json")["LabelMap"] as? [String] == [
          "background", "label-1", "label-2",
        ])
      let page = try String(contentsOfFile: folder + "/r.html", encoding: .utf8)
      #expect(page.contains("<h1>scan <span class=\"verdict pass\">PASS</span></h1>"))
      let picture = try Data(contentsOf: URL(fileURLWithPath: folder + "/q.png"))
      #expect(page.contains("src=\"data:image/png;base64,\(picture.base64EncodedString())\""))
      for part in ["field-of-view", "label-2</td>", "Mean entropy", "Dalca, A. V.", "5 label maps"]
      {
        #expect(page.contains(part), "\(part)")
      }
      for part in ["<script", "http", "{{", folder] { #expect(!page.contains(part), "\(part)") }
      let words = try String(contentsOfFile: folder + "/new/seg.json", encoding: .utf8)
      #expect(!words.contains(folder))
      // Once more over its own results, without being asked twice.
      let again = try Program.run(
        ["segment", folder + "/scan.nii.gz", "-o", folder + "/new/seg.nii.gz"] + atlas + [
          "--posteriors", folder + "/p.nii", "--volumes", folder + "/v.tsv",
          "--qc", folder + "/q.png", "--save-affine", folder + "/a.tfm",
        ])
      #expect(again.status == 0, "\(again.errors)")
    }
  }

  /// A name that is too long once it ends in _seg.nii.gz, and a file of somebody else's.
  @Test func anOutputThatCannotBeDoesNotStopTheOthers() throws {
    try Scratch.use { folder in
      let long = String(repeating: "x", count: 246)
      for place in ["in", "out"] {
        try FileManager.default.createDirectory(
          atPath: "\(folder)/\(place)", withIntermediateDirectories: true)
      }
      for name in ["a", "b", long] { try write("\(folder)/in/\(name).nii") }
      try Array("mine".utf8).write(to: folder + "/out/b_seg.nii.gz")
      let line = ["segment", folder + "/in", "-o", folder + "/out"] + atlas
      let result = try Program.run(line + ["--volumes", folder + "/v.tsv"])
      #expect(result.status == 73, "\(result.errors)")
      #expect(result.errors.contains("segpipe: 2 of 3 scans failed:\n"), "\(result.errors)")
      #expect(result.errors.contains("b_seg.nii.gz: already exists, and segpipe did not make it"))
      #expect(
        result.errors.contains(
          "\(long)_seg.nii.gz: cannot be created: File name too long\n  hint: Give the scan"))
      #expect(
        names(folder + "/out") == ["a_seg.json", "a_seg.nii.gz", "b_seg.nii.gz"])
      #expect(try fileBytes(folder + "/out/b_seg.nii.gz") == Array("mine".utf8))
      let table = try String(contentsOfFile: folder + "/v.tsv", encoding: .utf8)
      #expect(table.split(separator: "\n").count == 3)
      let none = try Program.run(
        ["segment", "\(folder)/in/\(long).nii", folder + "/in/b.nii", "-o", folder + "/out"] + atlas
      )
      #expect(none.status == 73, "\(none.errors)")
      #expect(none.errors.contains("segpipe: 2 of 2 scans failed:\n"), "\(none.errors)")
    }
  }

  /// What was made of scans are no scans, wherever results go next; scans that segpipe wrote are.
  @Test func resultsAmongScansAreIgnored() throws {
    try Scratch.use { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/d", withIntermediateDirectories: true)
      try write(folder + "/d/a.nii.gz")
      try ImageWriter.write(
        scan: TinyAtlas.scan(), like: nil, to: folder + "/d/b.nii", description: "segpipe 0 conform"
      )
      func segment(_ more: String...) throws -> Program.Result {
        try Program.run(["segment", folder + "/d"] + atlas + more)
      }
      let d = folder + "/d"
      #expect(try segment("-o", d, "--posteriors", d, "--entropy", d).status == 0)
      let second = try segment("-o", folder + "/e")
      #expect(second.status == 0, "\(second.errors)")
      #expect(second.errors.contains("other files in folders ignored: 10\n"), "\(second.errors)")
      #expect(
        names(folder + "/e") == ["a_seg.json", "a_seg.nii.gz", "b_seg.json", "b_seg.nii.gz"])
      // By its name a file is meant.
      let named = try Program.run(
        ["segment", d + "/a_seg.nii.gz", "-o", folder + "/again.nii"] + atlas)
      #expect(names(folder).contains("again.nii") || named.status == 65, "\(named.errors)")
    }
  }

  /// The last file, the label map, is the only one that is too large.
  @Test func whatCannotAllBeWrittenLeavesNothing() throws {
    try Scratch.use { folder in
      try write(folder + "/scan.nii")
      let line = "cd '\(folder)'; segpipe segment scan.nii -o seg.nii --atlas '\(TinyAtlas.folder)'"
      func limited() throws {
        let result = try Program.shell("ulimit -f 60; \(line) --save-affine a.txt --no-bias")
        #expect(result.status == 74, "\(result.errors)")
        #expect(result.errors.contains("seg.nii: write failed: File too large"))
        #expect(result.errors.contains("hint: Files may not be this large here: see ulimit -f"))
      }
      try limited()
      #expect(names(folder) == ["scan.nii"])
      #expect(try Program.shell(line).status == 0)
      let before = try ["seg.nii", "seg.json"].map { try fileBytes(folder + "/" + $0) }
      try limited()
      #expect(names(folder) == ["scan.nii", "seg.json", "seg.nii"])
      #expect(try ["seg.nii", "seg.json"].map { try fileBytes(folder + "/" + $0) } == before)
    }
  }

  @Test func volumesDoNotDependOnFurtherOutputs() throws {
    try Scratch.use { folder in
      try write(folder + "/scan.nii")
      func volumes(_ name: String, _ further: String...) throws -> [String] {
        let result = try Program.run(
          ["segment", folder + "/scan.nii", "-o", "\(folder)/\(name).nii"] + atlas
            + ["--volumes", "\(folder)/\(name).tsv"] + further)
        #expect(result.status == 0, "\(result.errors)")
        return try ["tsv", "json", "nii"].map { try fileBytes("\(folder)/\(name).\($0)") }
          .map { String(decoding: $0, as: UTF8.self) }
      }
      let plain = try volumes("plain")
      #expect(try volumes("soft", "--posteriors", folder + "/p.nii") == plain)
      #expect(try volumes("doubt", "--entropy", folder + "/e.nii") == plain)
    }
  }

  @Test func aSavedAffineSpeaksEveryFormat() throws {
    try Scratch.use { folder in
      let moved = Grid(
        extents: TinyAtlas.grid.extents,
        affine: Affine(
          columns: TinyAtlas.grid.affine.columns,
          translation: TinyAtlas.grid.affine.translation + SIMD3(31, -17, 9)))
      let scan = Volume(grid: moved, voxels: TinyAtlas.scan().voxels)
      try ImageWriter.write(
        scan: scan, like: nil, to: folder + "/scan.nii", description: "test")
      let line = ["segment", folder + "/scan.nii"] + atlas
      for file in ["a.txt", "a.tfm"] {
        let first = try Program.run(
          line + ["-o", folder + "/first.nii", "--save-affine", folder + "/" + file])
        try #require(first.status == 0, "\(first.errors)")
        let second = try Program.run(
          line + ["-o", folder + "/second.nii", "--affine", folder + "/" + file])
        try #require(second.status == 0, "\(second.errors)")
        let both = try ["first", "second"].map {
          try ImageReader.readLabels("\(folder)/\($0).nii").volume
        }
        let differing = zip(both[0].voxels, both[1].voxels).count { $0 != $1 }
        #expect(differing < 40, "\(file): \(differing) voxels")
      }
      try "1 0 0\n".write(toFile: folder + "/bad.txt", atomically: true, encoding: .utf8)
      let bad = try Program.run(
        line + ["-o", folder + "/third.nii", "--affine", folder + "/bad.txt"])
      #expect(bad.status == 65)
      #expect(bad.errors.contains("bad.txt: 1 rows of 3 numbers, expected an affine matrix"))
      #expect(!names(folder).contains("third.nii"))
    }
  }

  @Test func aBadScanDoesNotStopTheOthers() throws {
    try Scratch.use { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/in", withIntermediateDirectories: true)
      try write(folder + "/in/a.nii.gz")
      try write(folder + "/in/c.nii")
      try Array("no image".utf8).write(to: folder + "/in/b.nii")
      try Array("notes".utf8).write(to: folder + "/in/notes.txt")
      let result = try Program.run(
        ["segment", folder + "/in/", folder + "/missing.nii", "-o", folder + "/out"] + atlas
          + ["--volumes", folder + "/v.csv"])
      #expect(result.status == 66)
      #expect(result.errors.contains("other files in folders ignored: 1\n"))
      #expect(result.errors.contains("segpipe: 2 of 4 scans failed:\n  \(folder)/in/b.nii: "))
      #expect(
        names(folder + "/out") == ["a_seg.json", "a_seg.nii.gz", "c_seg.json", "c_seg.nii.gz"])
      let table = try String(contentsOfFile: folder + "/v.csv", encoding: .utf8)
      #expect(table.contains("\na,1,label-1,") && table.contains("\nc,2,label-2,"))
      // A list, and the folder of results as the folder of scans, twice.
      try "# scans\n\(folder)/in/a.nii.gz\r\n\n".write(
        toFile: folder + "/list.txt", atomically: true, encoding: .utf8)
      let listed = try Program.run(
        ["segment", "--list", folder + "/list.txt", "-o", folder + "/listed"] + atlas)
      #expect(listed.status == 0)
      #expect(names(folder + "/listed") == ["a_seg.json", "a_seg.nii.gz"])
      #expect(
        try fileBytes(folder + "/listed/a_seg.nii.gz") == fileBytes(folder + "/out/a_seg.nii.gz"))
      let soft = ["--posteriors", folder + "/in", "--entropy", folder + "/in"]
      for further in [[], soft, soft, []] {
        let again = try Program.run(
          ["segment", folder + "/in", "-o", folder + "/in"] + atlas + further)
        #expect(again.errors.contains("segpipe: 1 of 3 scans failed:"), "\(again.errors)")
      }
      #expect(names(folder + "/in").count == 14)
    }
  }

  @Test func standardInputIsAScan() throws {
    try Scratch.use { folder in
      try write(folder + "/scan.nii.gz")
      let result = try Program.shell(
        "cat '\(folder)/scan.nii.gz' | segpipe segment - -o '\(folder)/s.nii' --atlas "
          + "'\(TinyAtlas.folder)'")
      #expect(result.status == 0, "\(result.errors)")
      #expect(names(folder) == ["s.json", "s.nii", "scan.nii.gz"])
    }
  }

  @Test func bytesDoNotDependOnThreads() throws {
    try Scratch.use { folder in
      try write(folder + "/scan.nii")
      var seen: [[[UInt8]]] = []
      for threads in ["1", "2", "3"] {
        let out = "\(folder)/\(threads)"
        let result = try Program.run(
          ["segment", folder + "/scan.nii", "-o", out + "/"] + atlas + [
            "--posteriors", out, "--qc", out, "--save-affine", out, "--volumes", out + "/v.tsv",
            "--threads", threads,
          ])
        try #require(result.status == 0, "\(result.errors)")
        #expect(names(out).count == 7)
        seen.append(try names(out).map { try fileBytes("\(out)/\($0)") })
      }
      #expect(seen[0] == seen[1] && seen[1] == seen[2])
    }
  }

  /// The head atlas and its networks take some 1,000 MiB.
  @Test(arguments: [200_000, 340_000, 500_000, 900_000])
  func tooLittleMemoryIsSaidBeforeAnyWork(limit: Int) throws {
    try Scratch.use { folder in
      try write(folder + "/scan.nii")
      let result = try Program.shell(
        "ulimit -v \(limit); segpipe segment '\(folder)/scan.nii' -o '\(folder)/seg.nii'")
      #expect(result.status == 75, "\(result.errors)")
      let words = limit < 320 << 10 ? "too little to start" : "scan.nii: this takes about"
      #expect(result.errors.contains(words), "\(result.errors)")
      #expect(try names(folder) == ["scan.nii"])
    }
  }

  @Test func aSmallAtlasTakesLittleMemory() throws {
    try Scratch.use { folder in
      try write(folder + "/scan.nii")
      let result = try Program.shell(
        """
        ulimit -v 900000
        segpipe segment '\(folder)/scan.nii' -o '\(folder)/seg.nii' --atlas '\(TinyAtlas.folder)'
        """)
      #expect(result.status == 0, "\(result.errors)")
    }
  }

  @Test func aListMayBeAPipe() throws {
    try Scratch.use { folder in
      try write(folder + "/scan.nii")
      let result = try Program.shell(
        """
        cd '\(folder)'
        segpipe segment --list <(echo scan.nii; echo none.nii) -o out --atlas '\(TinyAtlas.folder)'
        """)
      #expect(result.status == 66)
      #expect(result.errors.contains("1 of 2 scans failed:\n  none.nii: "), "\(result.errors)")
      #expect(names(folder + "/out") == ["scan_seg.json", "scan_seg.nii.gz"])
    }
  }

  @Test func badRequestsEndBeforeAnyWork() throws {
    try Scratch.use { folder in
      let scan = folder + "/scan.nii"
      try write(scan)
      try FileManager.default.createDirectory(
        atPath: folder + "/x", withIntermediateDirectories: true)
      try write(folder + "/x/scan.nii")
      try Array("mine".utf8).write(to: folder + "/mine.nii")
      try FileManager.default.createDirectory(
        atPath: folder + "/texts", withIntermediateDirectories: true)
      try Array("text".utf8).write(to: folder + "/texts/readme")
      let cases: [(Int32, [String], String)] = [
        (64, ["segment", "-o", "a.nii"], "No scan given"),
        (64, ["segment", scan, "-o", folder + "/a.mgz"], "must end in .nii or .nii.gz"),
        (64, ["segment", scan, "-o", scan], "is both input and output"),
        (64, ["segment", scan, scan, "-o", folder + "/o"], "name each scan once"),
        (
          64, ["segment", scan, folder + "/x", "-o", folder + "/o"],
          "scan.nii and \(folder)/x/scan.nii would both be written to \(folder)/o/scan_seg.nii.gz"
        ),
        (
          64, ["segment", scan, folder + "/x", "-o", folder + "/o.nii.gz"],
          "--output is '\(folder)/o.nii.gz', a file, for several scans"
        ),
        (
          64, ["segment", scan, "-o", folder + "/a.nii", "--volumes", folder + "/v.xls"],
          "--volumes is"
        ),
        (64, ["segment", scan, "-o", folder + "/a.nii", "--qc", folder + "/q.jpg"], "--qc is"),
        (
          64, ["segment", scan, "-o", folder + "/a.nii", "--posteriors", folder + "/a.nii.gz"],
          "would be written to \(folder)/a.json"
        ),
        (64, ["segment", scan, "-o", folder + "/a.nii", "--posterior-bits", "12"], "8 or 16"),
        (64, ["segment", scan, "-o", folder + "/a.nii", "--stripped", "maybe"], "maybe"),
        (66, ["segment", folder + "/none", "-o", folder + "/a.nii"], "no such file"),
        (66, ["segment", "--list", folder + "/none", "-o", folder + "/o"], "no such file"),
        (
          66, ["segment", folder + "/texts", "-o", folder + "/o"],
          "Scans end in .nii, .nii.gz, .mgh, .mgz, .mgh.gz, .hdr or .hdr.gz."
        ),
        (73, ["segment", scan, "-o", folder + "/mine.nii"], "segpipe did not make it"),
        (73, ["segment", scan, "-o", scan + "/under/a.nii"], "cannot be created"),
        (
          65, ["segment", scan, "-o", folder + "/a.nii", "--atlas", folder],
          "no usable atlas: no atlas-NAME_description.json"
        ),
        (
          66, ["segment", scan, "-o", folder + "/a.nii", "--workspace", folder + "/w"],
          "\(folder)/w/atlas: no such file"
        ),
      ]
      for (status, arguments, words) in cases {
        let isAtlasGiven = arguments.contains { ["--atlas", "--workspace"].contains($0) }
        let result = try Program.run(arguments + (isAtlasGiven ? [] : atlas))
        #expect(result.status == status, "\(arguments): \(result.errors)")
        #expect(result.errors.contains(words), "\(result.errors)")
      }
      #expect(names(folder).filter { $0.hasPrefix("a") || $0.hasPrefix("v") }.isEmpty)
      #expect(try fileBytes(folder + "/mine.nii") == Array("mine".utf8))
    }
  }
}

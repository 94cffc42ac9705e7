import Anatomy
import Foundation
import Imaging
import Testing

/// What a trained prior is used for: reconstruct, decode, sample, interpolate.
@Suite struct PriorCommandTests {
  private func run(_ line: String, in folder: String) throws -> Program.Result {
    try Program.shell("cd '\(folder)'; W='\(TinyPrior.workspace)'; \(line)")
  }

  /// The latent file and the header of the map give what reconstruct gives, whatever the voxels are.
  @Test func theLatentAloneGivesTheSameBytes() throws {
    try Scratch.use { folder in
      try TinyPrior.write(7, to: folder + "/map.nii")
      let bytes = try fileBytes(folder + "/map.nii")
      try (bytes.prefix(352) + [UInt8](repeating: 0, count: bytes.count - 352))
        .write(to: folder + "/empty.nii")
      let made = try run(
        "segpipe reconstruct map.nii -o a.nii.gz --latent z.safetensors --workspace $W --threads 1",
        in: folder)
      #expect(made.status == 0, "\(made.errors)")
      #expect(made.output.isEmpty)
      #expect(made.errors.contains("prior.safetensors (workspace), atlas: tiny (workspace)"))
      #expect(made.errors.contains("a.nii.gz written, mean Dice 0."))
      let decoded = try run(
        """
        segpipe decode z.safetensors --like empty.nii -o b.nii.gz --workspace $W --threads 3 -q
        echo $?; cmp a.nii.gz b.nii.gz && ls
        """, in: folder)
      #expect(
        decoded.output == "0\na.nii.gz\nb.nii.gz\nempty.nii\nmap.nii\nz.safetensors\n",
        "\(decoded.errors)")
      #expect(decoded.errors.isEmpty)

      let found = try unpacked(folder + "/a.nii.gz")
      for range in RawNIfTI.geometry(version: 1) { #expect(found[range] == bytes[range]) }
      let labels = try ImageReader.readLabels(folder + "/a.nii.gz").volume
      let truth = TinyPrior.map(7)
      #expect(labels.grid.extents == truth.grid.extents)
      #expect(Set(labels.voxels).isSubset(of: [0, 1, 2, 3, 4]))
      #expect(TinyAtlas.dice(labels, truth, 1) > 0.8)
    }
  }

  @Test func samplesFollowTheSeedAlone() throws {
    try Scratch.use { folder in
      let result = try run(
        """
        segpipe sample -n 3 -o a/ --workspace $W --threads 1 --report a.json || exit
        segpipe sample -n 3 -o b --workspace $W --threads 3 --report b.json -q || exit
        segpipe sample -n 2 -o c --workspace $W -q || exit
        segpipe sample -n 2 -o d --workspace $W -q --seed 2 || exit
        segpipe sample -n 2 -o e --workspace $W -q --from normal --no-images || exit
        diff -r a b && cmp a.json b.json && cmp a/sample-002.nii.gz c/sample-002.nii.gz && ls a e
        cmp -s c/volumes.tsv d/volumes.tsv || echo other seed
        cmp -s c/volumes.tsv e/volumes.tsv || echo other source
        """, in: folder)
      #expect(
        result.output == """
          a:
          sample-001.nii.gz
          sample-002.nii.gz
          sample-003.nii.gz
          volumes.tsv

          e:
          volumes.tsv
          other seed
          other source

          """, "\(result.errors)")
      #expect(result.errors.contains("a/: 3 anatomies, 100 % whole"))
      let image = try ImageReader.readLabels(folder + "/a/sample-001.nii.gz").volume
      #expect(image.grid.extents == SIMD3(32, 32, 32))
      let table = try String(contentsOfFile: folder + "/a/volumes.tsv", encoding: .utf8)
      let rows = table.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
      #expect(rows.count == 13 && rows[0] == ["sample", "index", "name", "mm3"])
      let voxels = image.voxels.count { $0 == 1 }
      #expect(rows[1][0] == "sample-001" && rows[1][1] == "1")
      let volume = try #require(Double(rows[1][3]))
      #expect(abs(volume - 64 * Double(voxels)) < 1e-3 * volume)
      let json = try JSONSerialization.jsonObject(
        with: Data(contentsOf: URL(fileURLWithPath: folder + "/a.json")))
      let report = try #require(json as? [String: Any])
      #expect(report["samples"] as? Int == 3 && report["pairs"] as? Int == 2)
      #expect(report["from"] as? String == "encodings" && report["seed"] as? Int == 1)
      let structures = try #require(report["structures"] as? [[String: Any]])
      #expect(structures.count == 4)
      let training = try #require(structures[0]["training"] as? [String: Any])
      #expect(training["count"] as? Int == 4)
      #expect(structures[0]["spreadRatio"] is Double)
    }
  }

  @Test func imagesThatTheTableDoesNotNameGo() throws {
    try Scratch.use { folder in
      let result = try run(
        """
        segpipe sample -n 3 -o a --workspace $W -q || exit
        cp a/sample-001.nii.gz a/sample-mine.nii.gz; echo mine > a/sample-009.nii.gz
        segpipe sample -n 2 -o a --workspace $W -q --overwrite || exit
        ls a
        segpipe sample -n 2 -o a --workspace $W -q --no-images --overwrite || exit
        ls a
        """, in: folder)
      let kept = "sample-009.nii.gz\nsample-mine.nii.gz\nvolumes.tsv\n"
      #expect(
        result.output == "sample-001.nii.gz\nsample-002.nii.gz\n" + kept + kept,
        "\(result.errors)")
    }
  }

  @Test func aLineLeadsFromOneAnatomyToTheOther() throws {
    try Scratch.use { folder in
      for subject in [0, 2] { try TinyPrior.write(subject, to: folder + "/\(subject).nii.gz") }
      let result = try run(
        """
        segpipe reconstruct 2.nii.gz -o r.nii.gz --latent 2.safetensors --workspace $W -q || exit
        segpipe interpolate 0.nii.gz 2.safetensors -n 3 -o a/ --workspace $W --threads 1 -q || exit
        segpipe interpolate 2.nii.gz 0.nii.gz -n 3 -o b/ --workspace $W --threads 2 -q || exit
        ls a
        for i in 1 2 3; do cmp a/step-00$i.nii.gz b/step-00$((4 - i)).nii.gz; done
        """, in: folder)
      #expect(
        result.output == "step-001.nii.gz\nstep-002.nii.gz\nstep-003.nii.gz\nvolumes.tsv\n",
        "\(result.errors)")

      // The end is the reconstruction, seen where the atlas grid lies in the map's world.
      let end = try ImageReader.readLabels(folder + "/a/step-003.nii.gz").volume
      let affine = try LatentFile(folder + "/2.safetensors").affine
      let seen = Grid(extents: end.grid.extents, affine: affine.inverse * end.grid.affine)
      try ImageWriter.write(
        labels: Volume(grid: seen, voxels: end.voxels.map { _ in 0 }), like: nil,
        to: folder + "/seen.nii.gz", description: "test")
      let decoded = try run(
        "segpipe decode 2.safetensors --like seen.nii.gz -o d.nii.gz --workspace $W -q",
        in: folder)
      #expect(decoded.status == 0, "\(decoded.errors)")
      let again = try ImageReader.readLabels(folder + "/d.nii.gz").volume
      let same = zip(again.voxels, end.voxels).count { $0 == $1 }
      // Headers hold single precision: ties, and little else, may fall the other way.
      #expect(Double(same) > 0.999 * Double(end.voxels.count))
      // Whose map it was matters.
      let middle = try ImageReader.readLabels(folder + "/a/step-002.nii.gz").volume
      let start = try ImageReader.readLabels(folder + "/a/step-001.nii.gz").volume
      #expect(middle.voxels != end.voxels && middle.voxels != start.voxels)
    }
  }

  @Test func refusalsSayWhatIsWrong() throws {
    try Scratch.use { folder in
      try TinyPrior.write(1, to: folder + "/map.nii.gz")
      var foreign = TinyPrior.map(1)
      foreign.voxels[5] = 77
      try ImageWriter.write(
        labels: foreign, like: nil, to: folder + "/foreign.nii.gz", description: "test")
      var damaged = try fileBytes(TinyPrior.prior)
      damaged[damaged.count / 2] ^= 1
      try damaged.write(to: folder + "/damaged.safetensors")
      try "mine".write(toFile: folder + "/mine.nii.gz", atomically: true, encoding: .utf8)
      try FileManager.default.createDirectory(
        atPath: folder + "/atlases/head", withIntermediateDirectories: true)
      func expect(_ status: Int32, _ words: String, _ line: String) throws {
        let result = try run("segpipe \(line)", in: folder)
        #expect(result.status == status, "\(line): \(result.errors)")
        #expect(result.errors.contains(words), "\(line): \(result.errors)")
        #expect(result.output.isEmpty)
      }
      let (one, w) = ("reconstruct map.nii.gz -o out.nii.gz", "--workspace $W")
      try expect(66, "none.nii.gz", "reconstruct none.nii.gz -o out.nii.gz \(w)")
      try expect(65, "77", "reconstruct foreign.nii.gz -o out.nii.gz \(w)")
      try expect(73, "mine.nii.gz: already exists", "reconstruct map.nii.gz -o mine.nii.gz \(w)")
      try expect(64, "is both input and output", "reconstruct map.nii.gz -o map.nii.gz \(w)")
      try expect(64, ".nii or .nii.gz", "reconstruct map.nii.gz -o out.mgz \(w)")
      try expect(64, ".safetensors", "\(one) --latent z.nii \(w)")
      try expect(66, "none.safetensors", "\(one) --prior none.safetensors --atlas $W/atlas")
      try expect(65, "its content does not match", "\(one) --prior damaged.safetensors \(w)")
      let kind = "holds a trained prior, expected a latent"
      try expect(65, kind, "decode $W/prior/prior.safetensors \(like) \(w)")
      try expect(65, "map.nii.gz", "decode map.nii.gz \(like) \(w)")
      try expect(64, "-n is 0", "sample -n 0 -o samples \(w)")
      try expect(64, ".json", "sample -n 1 -o samples --report r.txt \(w)")
      try expect(64, "elsewhere", "sample -n 1 -o samples --from elsewhere \(w)")
      try expect(66, "tried nowhere/prior", "sample -n 1 -o samples --workspace nowhere")
      try FileManager.default.createDirectory(
        atPath: folder + "/segpipe-work", withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        atPath: TinyPrior.workspace + "/atlas", toPath: folder + "/segpipe-work/atlas")
      try expect(66, "tried segpipe-work/prior/", "sample -n 1 -o samples")
      try FileManager.default.removeItem(atPath: folder + "/segpipe-work")
      try expect(64, "-n is 1", "interpolate map.nii.gz map.nii.gz -n 1 -o steps \(w)")
      let none = try run("SEGPIPE_ATLASES=$PWD/atlases segpipe \(one)", in: folder)
      #expect(none.status == 66 && none.errors.contains("no trained prior was found; tried "))
      let left = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
        !["map.nii.gz", "foreign.nii.gz", "mine.nii.gz", "damaged.safetensors"].contains($0)
      }
      #expect(Set(left).isSubset(of: ["atlases", "samples", "steps"]), "\(left)")
    }
  }

  private let like = "--like map.nii.gz -o out.nii.gz"

  @Test func anotherAtlasIsNamed() throws {
    try Scratch.use { folder in
      try TinyPrior.write(1, to: folder + "/map.nii.gz")
      let result = try run(
        """
        segpipe build-atlas map.nii.gz -o other --name other --grid 32 32 32 --spacing 4 \
        --refinements 0 -q
        segpipe reconstruct map.nii.gz -o out.nii.gz --prior $W/prior/prior.safetensors \
        --atlas other
        echo $?; ls
        """, in: folder)
      #expect(result.output == "65\nmap.nii.gz\nother\n")
      #expect(result.errors.contains("prior.safetensors: trained with atlas tiny "))
      #expect(result.errors.contains(", expected other "))
    }
  }
}

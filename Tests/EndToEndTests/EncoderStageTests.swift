import Foundation
import Testing

/// Encoders of scans as stages of a pipeline, and studies by what was learned.
@Suite struct EncoderStageTests {
  /// Learns an encoder for a prior that is there, and segments by both.
  private static func definition(seed: Int) -> String {
    """
    parameters:
      scans: {about: Scans without labels, default: }
    stages:
      encoder:
        kind: pretrain-encoder
        maps: \(TinyPrior.workspace)/maps
        atlas: \(TinyPrior.workspace)/atlas
        prior: \(TinyPrior.prior)
        steps: 6
        report-every: 3
        seed: \(seed)
      segmenter:
        kind: train-segmenter
        scans: ${scans}
        atlas: \(TinyPrior.workspace)/atlas
        prior: \(TinyPrior.prior)
        start: ${encoder.encoder}
        steps: 4
        report-every: 2
      encoder-report:
        kind: report-encoder
        encoder: ${segmenter.encoder}
        atlas: \(TinyPrior.workspace)/atlas
        prior: \(TinyPrior.prior)
        maps: \(TinyPrior.workspace)/maps
        scans: ${scans}
        logs:
          - ${encoder.log}
          - ${segmenter.log}
      segment:
        kind: segment
        scans: study
        atlas: \(TinyPrior.workspace)/atlas
        prior: \(TinyPrior.prior)
        encoder: ${segmenter.encoder}
        refine: 2
        samples: 2
        warp: no
        pictures: no
    """
  }

  @Test func learnedEncodersAreUsedAndFollowed() throws {
    try Scratch.use { folder in
      func path(_ name: String) -> String { folder + "/" + name }
      func run(_ more: String...) throws -> Program.Result {
        try Program.run(
          ["run", path("learn.yaml"), "--workspace", path("w"), "--threads", "2"] + more)
      }
      func define(seed: Int) throws {
        try Self.definition(seed: seed).write(
          toFile: path("learn.yaml"), atomically: true, encoding: .utf8)
      }
      for name in ["study", "scans"] {
        try FileManager.default.createDirectory(
          atPath: path(name), withIntermediateDirectories: true)
        try TinyPrior.writeScan(name == "study" ? 0 : 1, to: path(name + "/a.nii.gz"))
      }
      try define(seed: 1)
      let first = try run()
      #expect(first.status == 0, "\(first.errors)")
      #expect(!first.errors.contains("segmenter"))
      let pretrained = try fileBytes(path("w/encoder/encoder.safetensors"))
      // The command gives the same weights.
      let command = try Program.run(
        "pretrain-encoder", "--workspace", TinyPrior.workspace, "-o", path("command"), "--steps",
        "6", "--report-every", "3", "--threads", "2")
      #expect(command.status == 0, "\(command.errors)")
      #expect(try fileBytes(path("command/encoder.safetensors")) == pretrained)
      #expect(try trainings(on: path("w/encoder-report/report.html")) == ["drawn scans"])
      let used = try encoderDigest(path("w/segment/a_seg.json"))
      // The study's page says what the scan's own does.
      for name in ["summary.html", "reports/a.html"] {
        let words = try String(contentsOfFile: path("w/segment/" + name), encoding: .utf8)
        #expect(words.contains("2 steps of gradient ascent on the likelihood"))
        #expect(words.contains("the mean over 2 latents"))
      }

      let reused = try run("--quiet", "--verify")
      #expect(reused.status == 0 && reused.errors.isEmpty, "\(reused.errors)")

      let trained = try run("--set", "scans=" + path("scans"))
      #expect(trained.status == 0, "\(trained.errors)")
      #expect(trained.errors.contains("encoder: 1 reused"))
      #expect(trained.errors.contains("segment/a: input encoder has changed"))
      #expect(
        try trainings(on: path("w/encoder-report/report.html")) == ["drawn scans", "of scans"])
      let page = try String(contentsOfFile: path("w/encoder-report/report.html"), encoding: .utf8)
      // Two drawn scans with their labels and what is made of them, and a scan without labels.
      #expect(page.components(separatedBy: "<img alt=\"Slices\"").count - 1 == 5)
      #expect(page.contains("mean Dice of its encoding&#39;s labels 0."))
      #expect(try encoderDigest(path("w/segment/a_seg.json")) != used)

      try define(seed: 2)
      let other = try run("--dry-run")
      #expect(
        other.output == """
          run\tencoder\tseed was 1, and is 2
          run\tencoder-report\tencoder is done first
          run\tsegment/a\tencoder is done first
          run\tsegment summary\tsegment/a is done first

          """, "\(other.errors)")
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    try Scratch.use { folder in
      let path = folder + "/wrong.yaml"
      try TinyPrior.writeScan(0, to: folder + "/a.nii")
      let prior = "prior: \(TinyPrior.prior)"
      for (lines, status, words) in [
        (
          [prior, "no-prior: yes"], 64,
          "stage segment: no-prior must be no where prior, encoder or context is given"
        ),
        (
          [prior, "encoder: \(TinyPrior.prior)"], 65,
          "holds a trained prior, expected a trained encoder of scans"
        ),
        ([prior, "encoder: nowhere"], 66, "nowhere: no such file"),
        ([prior, "refine: -1"], 64, "refine"),
        ([prior, "likelihood: other"], 64, "jensen"),
        (
          [prior, "no-latent: yes", "samples: 2"], 64,
          "stage segment: samples must be 1 where no-prior or no-latent is yes"
        ),
        (["samples: 2"], 66, "no trained prior was found"),
      ] {
        try """
        stages:
          segment:
            kind: segment
            scans: a.nii
            atlas: \(TinyPrior.workspace)/atlas
            \(lines.joined(separator: "\n    "))
        """.write(toFile: path, atomically: true, encoding: .utf8)
        let result = try Program.run("run", path, "--workspace", folder + "/w")
        #expect(result.status == Int32(status), "\(lines): \(result.errors)")
        #expect(result.errors.contains(words), "\(result.errors)")
      }
    }
  }

  @Test func intensitiesAreFixedOrShared() throws {
    try Scratch.use { folder in
      try TinyPrior.writeScan(0, to: folder + "/a.nii.gz")
      let segmented = try Program.run(
        "segment", folder + "/a.nii.gz", "-o", folder + "/seg.nii.gz", "--workspace",
        TinyPrior.workspace)
      #expect(segmented.status == 0, "\(segmented.errors)")
      func run(_ lines: String...) throws -> Program.Result {
        try """
        stages:
          segmenter:
            kind: train-segmenter
            scans: a.nii.gz
            atlas: \(TinyPrior.workspace)/atlas
            prior: \(TinyPrior.prior)
            steps: 2
            fixed-intensities: seg.json
            \(lines.joined(separator: "\n    "))
        """.write(toFile: folder + "/fixed.yaml", atomically: true, encoding: .utf8)
        return try Program.run(
          "run", folder + "/fixed.yaml", "--workspace", folder + "/w", "--threads", "2")
      }
      let fixed = try run()
      #expect(fixed.status == 0, "\(fixed.errors)")
      let command = try Program.run(
        "train-segmenter", folder + "/a.nii.gz", "--workspace", TinyPrior.workspace, "--steps",
        "2", "--threads", "2", "--fixed-intensities", folder + "/seg.json", "-o", folder + "/own")
      #expect(command.status == 0, "\(command.errors)")
      #expect(
        try fileBytes(folder + "/own/encoder.safetensors")
          == fileBytes(folder + "/w/segmenter/encoder.safetensors"))
      let both = try run("intensities: data-set")
      #expect(both.status == 64 && both.errors.contains("fixed-intensities must be nothing"))
    }
  }

  /// What the trainings on a page were on: the last words of their headings.
  private func trainings(on page: String) throws -> [String] {
    let text = try String(contentsOfFile: page, encoding: .utf8)
    #expect(text.contains("<svg") && !text.contains("{{"))
    return text.components(separatedBy: "<h2 id=\"t").dropFirst().compactMap { part in
      part.split(separator: "<").first.map {
        $0.split(separator: " ").suffix(2).joined(separator: " ")
      }
    }
  }

  private func encoderDigest(_ sidecar: String) throws -> String {
    let data = try Data(contentsOf: URL(fileURLWithPath: sidecar))
    let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    let atlas = try #require(object?["Atlas"] as? [String: Any])
    return try #require(atlas["TrainedEncoder"] as? String)
  }
}

import Foundation
import Testing

/// Studies through Slurm and Snakemake: the same bytes as a local run. Where they are not installed, these
/// tests say so and are skipped.
@Suite(.serialized) struct EngineTests {
  private static let hasSlurm =
    getuid() == 0
    && ["munged", "slurmctld", "slurmd", "sbatch"].allSatisfy { Program.find($0) != nil }
  private static let snakemake = Program.find("snakemake")
  private static let path = "/usr/sbin:/usr/bin:/sbin:/bin"

  private func script(_ name: String) -> String {
    Places.package.appending(path: name).path
  }

  /// Six scans, one of them no image.
  private func study(_ folder: String) throws -> TinyStudy {
    let study = try TinyStudy(folder, scans: 6)
    try Array("no image".utf8).write(to: study.path(of: 3))
    #expect(try study.run("local").status == 65)
    return study
  }

  @Test(.enabled(if: hasSlurm, "Slurm and munge are not installed, or this is not root"))
  func slurmArray() throws {
    try Scratch.use { folder in
      let study = try study(folder)
      let engines = script("Tests/EndToEndTests/Engines")
      let result = try Program.run(
        "/bin/bash",
        [
          "-c",
          """
          '\(engines)/one-node-slurm.sh' '\(folder)/slurm' bash -euc '
            job=$("\(script("pipelines/slurm/submit.sh"))" 3 "\(TinyStudy.definition)" \
              "\(folder)/array" "scans=\(folder)/scans" "atlas=\(TinyAtlas.folder)")
            "\(engines)/wait-for-job.sh" "$job"'
          """,
        ], ["PATH": Self.path, "SEGPIPE": try Program.path(), "SBATCH_OPTIONS": "--mem=0"])
      #expect(result.output == "JobState=FAILED  ExitCode=65\n", "\(result.errors)")
      var results = try study.results("array")
      for path in results.keys where path.hasPrefix("logs/") { results[path] = nil }
      #expect(try results == study.results("local"))
      #expect(study.text("array/logs/collect.log").contains("segment/d: d.nii.gz: "))
    }
  }

  @Test(.enabled(if: snakemake != nil, "Snakemake is not installed"))
  func snakemakeShards() throws {
    try Scratch.use { folder in
      let study = try study(folder)
      try study.write(3)
      #expect(try study.run("local").status == 0)
      let result = try Program.run(
        Self.snakemake ?? "",
        [
          "--snakefile", script("pipelines/snakemake/Snakefile"), "--cores", "2", "--directory",
          folder, "--config", "scans=\(folder)/scans", "atlas=\(TinyAtlas.folder)",
          "workspace=\(folder)/shards", "segpipe=\(try Program.path())", "shards=3",
        ],
        [
          "PATH": (Self.snakemake.map { ($0 as NSString).deletingLastPathComponent } ?? "") + ":"
            + Self.path, "HOME": folder,
        ])
      #expect(result.status == 0, "\(result.errors)")
      var results = try study.results("shards")
      for path in results.keys where path.hasPrefix("shards/") { results[path] = nil }
      #expect(try results == study.results("local"))
    }
  }
}

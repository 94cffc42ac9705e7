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

  /// Slurm runs what --wrap takes by /bin/sh. Stand-ins for sbatch, which runs it so, and for segpipe, which tells what it
  /// was given.
  @Test func collectIsGivenTheWorkspaceAsItIsNamed() throws {
    try Scratch.use { folder in
      let (program, workspace) = (
        "\(folder)/it's a \"segpipe\"", "\(folder)/étude d'un $HOME\\\nété"
      )
      try Array("#!/bin/sh\nprintf '%s|' \"$@\"\n".utf8).write(to: program)
      try Array(
        """
        #!/bin/sh
        while [ $# -gt 0 ]; do
          if [ "$1" = --wrap ]; then sh -c "$2" >'\(folder)/given'; fi
          shift
        done
        echo 7
        """.utf8
      ).write(to: folder + "/sbatch")
      for path in [program, folder + "/sbatch"] { chmod(path, 0o755) }
      for locale in ["C", "C.UTF-8"] {
        let result = try Program.run(
          "/bin/bash", [script("pipelines/slurm/submit.sh"), "2", "study.yaml", workspace],
          ["PATH": "\(folder):\(Self.path)", "SEGPIPE": program, "LC_ALL": locale])
        #expect(result.output == "7\n" && result.status == 0, "\(result.errors)")
        let given = try String(contentsOfFile: folder + "/given", encoding: .utf8)
        #expect(given == "collect|--workspace|\(workspace)|")
      }
    }
  }

  @Test(.enabled(if: snakemake != nil, "Snakemake is not installed"))
  func snakemakeShards() throws {
    try Scratch.use { folder in
      let study = try study(folder)
      try study.write(3)
      #expect(try study.run("local").status == 0)
      func results() throws -> [String: [UInt8]] {
        try study.results("shards").filter { !$0.key.hasPrefix("shards/") }
      }
      func snakemake(_ more: String...) throws -> Program.Result {
        try Program.run(
          Self.snakemake ?? "",
          [
            "--snakefile", script("pipelines/snakemake/Snakefile"), "--cores", "2", "--directory",
            folder, "--config", "scans=\(folder)/scans", "atlas=\(TinyAtlas.folder)",
            "workspace=\(folder)/shards", "segpipe=\(try Program.path())", "shards=3", "prior=",
            "pictures=yes",
          ] + more,
          [
            "PATH": (Self.snakemake.map { ($0 as NSString).deletingLastPathComponent } ?? "") + ":"
              + Self.path, "HOME": folder,
          ])
      }
      let result = try snakemake()
      #expect(result.status == 0, "\(result.errors)")
      #expect(try results() == study.results("local"))

      // Another time: what has changed is done again, also after a run that failed.
      try Array("no image".utf8).write(to: study.path(of: 0))
      let failed = try snakemake()
      #expect(failed.status != 0 && failed.errors.contains("segment/a: a.nii.gz: "))
      try study.write(0)
      let mended = try snakemake()
      #expect(mended.status == 0, "\(mended.errors)")
      #expect(try results() == study.results("local"))
      let unchanged = try snakemake()
      #expect(unchanged.errors.contains("segment: 1 reused"), "\(unchanged.errors)")
    }
  }
}

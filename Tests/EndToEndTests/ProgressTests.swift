import Testing
import segpipe

@Suite struct ProgressTests {
  @Test func timeLeftFollowsTheMeanRate() {
    #expect(Progress.secondsLeft(fraction: 0.25, elapsed: .seconds(30)) == 90)
    #expect(Progress.secondsLeft(fraction: 0.001, elapsed: .seconds(30)) == nil)
    #expect(Progress.secondsLeft(fraction: 0.5, elapsed: .milliseconds(200)) == nil)
    #expect(Progress.secondsLeft(fraction: 1, elapsed: .seconds(30)) == nil)
  }

  @Test func clocksShowHoursOnlyWhenThereAreSome() {
    #expect(Progress.clock(7) == "0:07")
    #expect(Progress.clock(754) == "12:34")
    #expect(Progress.clock(3 * 3600 + 62) == "3:01:02")
  }

  @Test func barsKeepTheirWidth() {
    #expect(
      Progress.bar("fitting", percent: 50, left: 65)
        == "fitting [===============               ]  50 %  1:05 left")
    #expect(
      Progress.bar("fitting", percent: 100, left: nil)
        == "fitting [==============================] 100 %")
    #expect(Progress.bar("fitting", percent: 0, left: nil).hasSuffix("]   0 %"))
  }
}

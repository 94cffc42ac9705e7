import Parallel
import Testing

@Suite struct CoreLimitsTests {
  @Test func theTightestLimitHolds() {
    #expect(CoreLimits(available: 16, quota: nil, slurm: nil).threads == 16)
    #expect(CoreLimits(available: 16, quota: 2.5, slurm: nil).threads == 3)
    #expect(CoreLimits(available: 16, quota: 8, slurm: 4).threads == 4)
    #expect(CoreLimits(available: 2, quota: 8, slurm: 64).threads == 2)
    #expect(CoreLimits(available: 2, quota: 0.1, slurm: nil).threads == 1)
  }

  @Test func quotasAreReadAsTheKernelWritesThem() {
    #expect(CoreLimits.cores(ofQuotaAndPeriod: "150000 100000\n") == 1.5)
    #expect(CoreLimits.cores(ofQuotaAndPeriod: "max 100000\n") == nil)
    #expect(CoreLimits.cores(ofQuotaAndPeriod: "-1\n 100000\n") == nil)
    #expect(CoreLimits.cores(ofQuotaAndPeriod: "50000 0") == nil)
    #expect(CoreLimits.cores(ofQuotaAndPeriod: "") == nil)
  }

  @Test func thisMachineHasACore() {
    #expect(CoreLimits.current().threads >= 1)
  }
}

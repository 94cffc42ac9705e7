import Networks
import Testing

@testable import Anatomy

@Suite struct RandomStreamTests {
  /// Seeds and checkpoints mean what they meant before.
  @Test(
    arguments: [
      (RandomStream.steps, 1), (.variations, 2), (.latents, 3), (.judgedScans, 3), (.labels, 4),
      (.judgedLatents, 4), (.anatomies, 5), (.examples, 7), (.scans, 8), (.tiles, 9),
    ] as [(RandomStream, UInt64)])
  func numbersStay(_ use: RandomStream, _ number: UInt64) {
    #expect(Philox(seed: 1, use, number: 6).stream == number << 40 + 6)
  }
}

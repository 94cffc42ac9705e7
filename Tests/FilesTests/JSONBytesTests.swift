import Files
import Foundation
import Testing

@Suite struct JSONBytesTests {
  private let value = ["b": "x/y", "a": "1", "C": "2"]

  @Test func bytesFollowFromTheValue() throws {
    let plain = #"{"C":"2","a":"1","b":"x/y"}"#
    #expect(try JSONBytes.text(value) == plain)
    #expect(try JSONBytes.encode(value) == Data(plain.utf8))
    #expect(
      try JSONBytes.text(value, escapingSlashes: true) == #"{"C":"2","a":"1","b":"x\/y"}"#)
    #expect(try JSONBytes.file(value, pretty: false) == Array((plain + "\n").utf8))
    let indented = "{\n  \"C\" : \"2\",\n  \"a\" : \"1\",\n  \"b\" : \"x/y\"\n}"
    #expect(try JSONBytes.text(value, pretty: true) == indented)
    #expect(try JSONBytes.file(value) == Array((indented + "\n").utf8))
  }
}

import Files
import Testing

@Suite struct SHA256Tests {
  @Test(arguments: [
    ("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      "a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    ),
  ])
  func sha256(message: String, times: Int, digest: String) {
    let bytes = Array(String(repeating: message, count: times).utf8)
    for piece in [1, 7, 63, 64, 65, 1000] where bytes.count < 1000 || piece > 60 {
      var hash = SHA256()
      for start in stride(from: 0, to: bytes.count, by: piece) {
        bytes[start..<min(bytes.count, start + piece)].withUnsafeBytes { hash.update($0) }
      }
      #expect(hash.hexadecimal == digest)
    }
  }
}

import CDigest
import Inference
import TestSupport
import Testing

@testable import Models

@Suite("SHA-256")
struct SHA256Tests {
    private func digest(_ bytes: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(bytes.span)
        return bigEndian(hash.finish())
    }

    private func bigEndian(_ words: [UInt32]) -> [UInt8] {
        words.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } }
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String(Int($0) + 0x100, radix: 16).dropFirst() }.joined()
    }

    @Test(
        "is what NIST's examples for FIPS 180-4 say",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                String(repeating: "a", count: 1_000_000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
            ),
        ])
    func examples(_ text: String, _ expected: String) {
        #expect(hex(digest(Array(text.utf8))) == expected)
    }

    /// `hashlib`'s digest of the digests of 0, 1, … 199 bytes.
    @Test("is right for every length about the ends of its blocks")
    func lengths() {
        let digests = (0..<200).flatMap { count in digest((0..<count).map { UInt8($0) }) }
        #expect(hex(digest(digests)) == "ba7b0fcea7d10c06b855b43d2b4dce1e3e842fff6be0acefb0faf4f2dd05bb47")
    }

    @Test("does not depend on how the bytes are cut")
    func pieces() {
        var generator = SeededGenerator.announced()
        let bytes = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var hash = SHA256()
        var done = 0
        while done < bytes.count {
            let count = min(Int.random(in: 0...150, using: &generator), bytes.count - done)
            hash.update(bytes.span.extracting(done..<done + count))
            done += count
        }
        #expect(bigEndian(hash.finish()) == digest(bytes))
    }

    /// Processors that have instructions for it and those that have not give one answer.
    @Test("does not depend on the processor")
    func portable() {
        var generator = SeededGenerator.announced()
        let bytes = (0..<64 * 50).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var own = (0..<8).map { _ in UInt32.random(in: 0 ... .max, using: &generator) }
        var portable = own
        unsafe sha256_compress(&own, bytes, 50)
        unsafe sha256_compress_portable(&portable, bytes, 50)
        #expect(own == portable)
    }

    @Test("of a file is what sha256sum prints")
    func file() throws {
        let folder = try TemporaryFolder()
        let digest = try FileDigest(
            of: try folder.write("long", [UInt8](repeating: 0x61, count: 1_000_000)))
        #expect(digest.sha256 == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        #expect(digest.sizeBytes == 1_000_000)
        #expect(try FileDigest(of: try folder.write("empty", [])).sizeBytes == 0)
    }
}

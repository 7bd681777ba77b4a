import Foundation
import Models
import TestSupport
import Testing

@Suite("Bytes that are no manifest")
struct HostileManifestTests {
    static let texts: [String] = [
        "", " ", "{", "[]", "null", "3", "\"text\"", "{}", "{\"formatVersion\":}", "\u{FEFF}{}",
        "{\"formatVersion\": NaN}", "{\"formatVersion\": 1e400}", "{\"formatVersion\": -9223372036854775809}",
        "{\"formatVersion\": 1} trailing", "{'formatVersion': 1}", "{\"formatVersion\": 1,}",
        "{\"formatVersion\": 1, \"gain\": Infinity}", "{\"formatVersion\": \"\\ud800\"}",
        String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000),
        "{\"formatVersion\":1,\"quality\":" + String(repeating: "[", count: 40)
            + String(repeating: "]", count: 40) + "}",
    ]

    @Test("are refused", arguments: texts)
    func refused(_ text: String) {
        #expect(throws: ModelsError.self) { try ModelManifest(json: Array(text.utf8), file: "x") }
        #expect(throws: ModelsError.self) { try InstrumentManifest(json: Array(text.utf8), file: "x") }
    }

    @Test("in no encoding are refused")
    func encodings() throws {
        let text = String(decoding: try Example.instrument.bytes, as: UTF8.self)
        for encoding in [String.Encoding.utf16, .utf16LittleEndian, .utf32] {
            let bytes = Array(try #require(text.data(using: encoding)))
            let error = #expect(throws: ModelsError.self) { try InstrumentManifest(json: bytes, file: "x") }
            #expect(error?.code == .notJSON)
        }
        #expect(throws: ModelsError.self) { try InstrumentManifest(json: [0xFF, 0xFE, 0x00], file: "x") }
        #expect(throws: ModelsError.self) {
            try InstrumentManifest(json: [0x7B, 0x22, 0xC3, 0x28], file: "x")
        }
    }

    @Test("cut off anywhere are refused")
    func truncated() throws {
        let bytes = try Example.instrument.bytes
        for count in 0..<bytes.count {
            #expect(throws: ModelsError.self) {
                try InstrumentManifest(json: Array(bytes[..<count]), file: "x")
            }
        }
    }

    @Test("changed at random are read or refused, and nothing else")
    func mutated() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let originals = try [Example.decoder, Example.prior, Example.instrument].map { try $0.bytes }
        var refusals = 0
        for _ in 0..<2000 {
            var bytes = originals.randomElement(using: &generator)!
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = bytes.indices.randomElement(using: &generator)!
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: index)
                default:
                    bytes.insert(
                        UInt8(ascii: "-9[]{}\",:e."[Int.random(in: 0..<11, using: &generator)]), at: index)
                }
            }
            do { _ = try ModelManifest(json: bytes, file: "x") } catch { refusals += 1 }
            do { _ = try InstrumentManifest(json: bytes, file: "x") } catch { refusals += 1 }
        }
        #expect(refusals > 2000, "seed \(seed)")
    }

    @Test("beyond a megabyte, folders, devices and absent files are refused")
    func files() throws {
        let folder = try TemporaryFolder()
        let large = try folder.write("large.json", [UInt8](repeating: 0x20, count: (1 << 20) + 1))
        #expect(throws: ModelsError.self) { try ModelManifest.read(path: large) }
        for (path, code) in [
            (large, ModelsError.Code.tooLarge), (folder.path, .unreadable), ("/dev/zero", .unreadable),
            (folder.path + "/nothing.json", .fileNotFound), (large + "/nothing.json", .fileNotFound),
        ] {
            let error = #expect(throws: ModelsError.self) { try ModelManifest.read(path: path) }
            #expect(error?.code == code)
            #expect(error?.file == path)
        }
    }
}

extension UInt8 {
    /// The character at an index of an ASCII text.
    fileprivate init(ascii character: Character) { self = character.asciiValue ?? 0 }
}

extension String {
    fileprivate subscript(_ offset: Int) -> Character { self[index(startIndex, offsetBy: offset)] }
}

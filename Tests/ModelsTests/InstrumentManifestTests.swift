import Foundation
import Models
import TestSupport
import Testing

@Suite("An instrument's manifest")
struct InstrumentManifestTests {
    @Test("says what the instrument is")
    func reads() throws {
        let manifest = try InstrumentManifest(json: Example.instrument.bytes, file: "strings.instrument.json")
        #expect(manifest.name == "strings")
        #expect(manifest.lowKey == 36)
        #expect(manifest.programs == [48, 49])
        #expect(manifest.gain == 0.25)
        #expect(manifest.encoder == nil)
        #expect(manifest.temperature == nil)
        #expect(manifest.card == "strings.md")
    }

    @Test("may leave out the column of a prior that plays it alone, and say how much its notes move")
    func alone() throws {
        let json = Example.instrument.removing("instrument").setting("temperature", .number(0.5))
        let manifest = try InstrumentManifest(json: json.bytes, file: "strings.instrument.json")
        #expect(manifest.instrument == nil)
        #expect(manifest.temperature == 0.5)
    }

    @Test("is the same after writing and reading")
    func roundTrip() throws {
        for json in [Example.instrument, Example.instrument.removing("instrument").setting("temperature", 2)]
        {
            let manifest = try InstrumentManifest(json: json.bytes, file: "a")
            #expect(
                try InstrumentManifest(json: Array(try JSONEncoder().encode(manifest)), file: "b") == manifest
            )
        }
    }

    typealias Spoilt = ModelManifestTests.Spoilt

    private static func spoil(
        _ path: String, _ value: JSONValue?, _ code: ModelsError.Code = .invalidValue, at key: String? = nil
    ) -> Spoilt { Spoilt(path, value, code, at: key, of: Example.instrument) }

    static let spoilt: [Spoilt] =
        [
            "formatVersion", "name", "title", "family", "pitched", "lowKey", "highKey", "programs", "licence",
            "authors",
            "decoder", "prior", "velocityExponent", "gain", "releaseSeconds",
        ].map { spoil($0, nil, .missingKey) } + [
            spoil("formatVersion", 2, .newerFormat), spoil("name", "a,b"), spoil("name", "a=b"),
            spoil("name", "-a"),
            spoil("name", "../a"), spoil("title", ""), spoil("title", "two\nlines"),
            spoil("title", "\u{202E}desrever"), spoil("pitched", "yes", .wrongType),
            spoil("pitched", 1, .wrongType),
            spoil("lowKey", -1), spoil("lowKey", 128), spoil("highKey", 130), spoil("highKey", 35),
            spoil("lowKey", .number(36.5)), spoil("lowKey", .number(1e20)), spoil("lowKey", "C2", .wrongType),
            spoil("programs[1]", 128), spoil("programs[0]", -1), spoil("programs[1]", 48),
            spoil("decoder.file", "../../decoder.onnx"), spoil("decoder.file", "decoder.json"),
            spoil("decoder.sha256", "12"), spoil("prior.file", nil, .missingKey),
            spoil("encoder", .object(["file": "e.onnx"]), .missingKey, at: "encoder.sha256"),
            spoil("instrument", "a b"), spoil("velocityExponent", -1), spoil("velocityExponent", 9),
            spoil("gain", -1), spoil("gain", 1001), spoil("gain", .number(1e308)),
            spoil("releaseSeconds", 61),
            spoil("releaseSeconds", -1), spoil("temperature", -0.1), spoil("temperature", 2.5),
            spoil("temperature", .number(1e308)), spoil("temperature", "warm", .wrongType),
            spoil("card", "/etc/passwd"), spoil("card", "card.html"),
        ]

    @Test("that is wrong is refused with its file, key and remedy", arguments: spoilt)
    func refused(_ spoilt: Spoilt) throws {
        let json = spoilt.value.map { spoilt.of.setting(spoilt.path, $0) } ?? spoilt.of.removing(spoilt.path)
        let bytes = try json.bytes
        let error = #expect(throws: ModelsError.self) { try InstrumentManifest(json: bytes, file: "x.json") }
        #expect(error?.code == spoilt.code, "\(error.map { "\($0)" } ?? "")")
        #expect(error?.key == spoilt.key, "\(error.map { "\($0)" } ?? "")")
        #expect(error?.remedy.isEmpty == false)
    }

    @Test("must lie under its own name")
    func fileName() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("violins.instrument.json", Example.instrument.bytes)
        let error = #expect(throws: ModelsError.self) { try InstrumentManifest.read(path: path) }
        #expect(error?.code == .contradiction)
        #expect(error?.remedy == "Rename it to strings.instrument.json")
    }
}

import Foundation
import Models
import Streaming
import Testing

@Suite("A model's manifest")
struct ModelManifestTests {
    @Test("says how to run a streaming decoder")
    func decoder() throws {
        let manifest = try ModelManifest(json: Example.decoder.bytes, file: "decoder.json")
        #expect(manifest.kind == .streamingDecoder)
        #expect(manifest.licence == "MIT")
        #expect(manifest.training?.minutes == 60.5)
        #expect(manifest.quality?["melDistance"] == .number(3.2))
        #expect(
            try manifest.decoderDescription()
                == StreamingDecoderDescription(
                    sampleRate: 48000, slotSamples: 128, maximumSlots: 16, delaySamples: 128, latentSize: 128,
                    noiseBands: 16, noiseFramesPerSlot: 8,
                    states: [StateDescription(input: "state_blocks", output: "next_blocks", shape: [54, 64])])
        )
    }

    @Test("says how to run a prior")
    func prior() throws {
        let manifest = try ModelManifest(json: Example.prior.bytes, file: "prior.json")
        let description = try manifest.priorDescription()
        #expect(description.columns.count == 6)
        #expect(description.columns[4] == "instrument.strings")
        #expect(description.latentSize == 128)
    }

    @Test("of an encoder or a plain model reads")
    func otherKinds() throws {
        #expect(try ModelManifest(json: Example.encoder.bytes, file: "e.json").latentSamples == 2048)
        let plain = Example.prior.setting("kind", "model").removing("columns").removing("instruments")
        #expect(try ModelManifest(json: plain.bytes, file: "m.json").kind == .model)
    }

    @Test("describes its own kind only")
    func wrongKind() throws {
        let prior = try ModelManifest(json: Example.prior.bytes, file: "prior.json")
        let error = #expect(throws: ModelsError.self) { try prior.decoderDescription() }
        #expect(error?.key == "kind")
    }

    @Test("is the same after writing and reading")
    func roundTrip() throws {
        for example in [
            Example.decoder, Example.encoder, Example.prior, Example.effect, Example.effectEncoder,
        ] {
            let manifest = try ModelManifest(json: example.bytes, file: "a.json")
            let written = Array(try JSONEncoder().encode(manifest))
            #expect(try ModelManifest(json: written, file: "b.json") == manifest)
        }
    }

    @Test("may hold keys of a later version of this format")
    func unknownKeys() throws {
        let bytes = try Example.decoder.setting("mood", "serene").bytes
        #expect(throws: Never.self) { try ModelManifest(json: bytes, file: "decoder.json") }
    }

    struct Spoilt: Sendable, CustomTestStringConvertible {
        let path: String
        let value: JSONValue?
        let code: ModelsError.Code
        let key: String
        let of: JSONValue

        init(
            _ path: String, _ value: JSONValue?, _ code: ModelsError.Code, at key: String? = nil,
            of example: JSONValue = Example.decoder
        ) {
            self.path = path
            self.value = value
            self.code = code
            self.key = key ?? path
            self.of = example
        }

        var testDescription: String { "\(path) = \(value.map { "\($0)" } ?? "missing")" }
    }

    static func manyStates(_ count: Int, of size: Int) -> [JSONValue] {
        (0..<count).map { index in
            .object([
                "input": .text("state_\(index)"), "output": .text("next_\(index)"),
                "shape": .list(["batch", .number(Double(size))]),
            ])
        }
    }

    @Test("may ask for memory up to its bounds, and no further")
    func memory() throws {
        func decoder(_ slotSamples: Int, _ maximumSlots: Int) throws -> [UInt8] {
            try Example.decoder.setting("slotSamples", .number(Double(slotSamples)))
                .setting("maximumSlots", .number(Double(maximumSlots)))
                .setting("outputs[0].shape[2]", .text("\(slotSamples)*slots"))
                .setting("states", .list(Self.manyStates(16, of: 1 << 16))).bytes
        }
        #expect(throws: Never.self) { try ModelManifest(json: try decoder(65_536, 16), file: "x.json") }
        let bytes = try decoder(65_536, 17)
        let error = #expect(throws: ModelsError.self) { try ModelManifest(json: bytes, file: "x.json") }
        #expect(error?.key == "maximumSlots")
    }

    static let spoilt: [Spoilt] =
        [
            "formatVersion", "kind", "name", "file", "sha256", "sizeBytes", "licence", "authors", "inputs",
            "outputs",
        ]
        .map { Spoilt($0, nil, .missingKey) }
        + ["sampleRate", "slotSamples", "maximumSlots", "delaySamples", "states"].map {
            Spoilt($0, nil, .missingKey)
        }
        + [
            Spoilt("formatVersion", 2, .newerFormat), Spoilt("formatVersion", 0, .invalidValue),
            Spoilt("formatVersion", "1", .wrongType), Spoilt("formatVersion", .number(1e300), .invalidValue),
            Spoilt("kind", "sorcery", .invalidValue), Spoilt("kind", 3, .wrongType),
            Spoilt("name", "", .invalidValue), Spoilt("name", "a b", .invalidValue),
            Spoilt("name", .null, .wrongType),
            Spoilt("name", .text(String(repeating: "a", count: 65)), .invalidValue),
            Spoilt("file", "../decoder.onnx", .invalidValue), Spoilt("file", "/etc/passwd", .invalidValue),
            Spoilt("file", "a/b.onnx", .invalidValue), Spoilt("file", "a\\b.onnx", .invalidValue),
            Spoilt("file", "..", .invalidValue), Spoilt("file", ".onnx", .invalidValue),
            Spoilt("file", "other.onnx", .invalidValue), Spoilt("file", "decoder.bin", .invalidValue),
            Spoilt("file", "decoder.onnx\u{0}", .invalidValue),
            Spoilt("leastSnrDb", -1, .invalidValue), Spoilt("leastSnrDb", 201, .invalidValue),
            Spoilt("leastSnrDb", "60", .wrongType),
            Spoilt("sha256", "abc", .invalidValue),
            Spoilt("sha256", .text(String(repeating: "g", count: 64)), .invalidValue),
            Spoilt("sha256", .text(String(repeating: "é", count: 64)), .invalidValue),
            Spoilt("sizeBytes", 0, .invalidValue), Spoilt("sizeBytes", -1, .invalidValue),
            Spoilt("sizeBytes", .number(2e12), .invalidValue),
            Spoilt("sizeBytes", .number(0.5), .invalidValue),
            Spoilt("sizeBytes", .text("3"), .wrongType),
            Spoilt("licence", "", .invalidValue), Spoilt("licence", "MIT\u{1B}[31m", .invalidValue),
            Spoilt("authors", "me", .wrongType),
            Spoilt("authors", .list([.number(1)]), .wrongType, at: "authors[0]"),
            Spoilt("authors", .list([""]), .invalidValue, at: "authors[0]"),
            Spoilt("sampleRate", 7999, .invalidValue), Spoilt("sampleRate", 192_001, .invalidValue),
            Spoilt("sampleRate", .number(48000.5), .invalidValue),
            Spoilt("slotSamples", 0, .invalidValue), Spoilt("slotSamples", 65_537, .invalidValue),
            Spoilt("maximumSlots", 0, .invalidValue), Spoilt("maximumSlots", 257, .invalidValue),
            Spoilt("delaySamples", -1, .invalidValue), Spoilt("delaySamples", 48_001, .invalidValue),
            Spoilt("inputs", .list([]), .invalidValue), Spoilt("inputs", .object([:]), .wrongType),
            Spoilt("inputs[0].name", "latents", .invalidValue, at: "inputs"),
            Spoilt("inputs[0].role", "pitch", .invalidValue, at: "inputs"),
            Spoilt("inputs[0].type", "float64", .invalidValue, at: "inputs"),
            Spoilt("inputs[0].shape", .list([]), .invalidValue, at: "inputs"),
            Spoilt("inputs[0].shape", .list(["batch", 0, "slots"]), .invalidValue, at: "inputs[0].shape[1]"),
            Spoilt(
                "inputs[0].shape", .list(["batch", -3, "slots"]), .invalidValue, at: "inputs[0].shape[1]"),
            Spoilt("inputs[0].shape", .list(["batch", 4097, "slots"]), .invalidValue, at: "inputs"),
            Spoilt("inputs[0].shape", .list(["batch", 128, "2*slots"]), .invalidValue, at: "inputs"),
            Spoilt("inputs[0].shape[2]", "slots*2", .invalidValue),
            Spoilt("inputs[0].shape[2]", "", .invalidValue),
            Spoilt("inputs[0].shape[2]", "99999999999999999999*slots", .invalidValue),
            Spoilt("inputs[0].shape[2]", "1*2*slots", .invalidValue),
            Spoilt("inputs[0].shape[2]", .number(1e30), .invalidValue),
            Spoilt("inputs[0].shape[2]", .bool(true), .invalidValue),
            Spoilt("inputs[1].name", "latent", .invalidValue, at: "inputs[1]"),
            Spoilt("inputs[1].shape[1]", 2, .invalidValue, at: "inputs"),
            Spoilt("inputs[2].shape[1]", 1025, .invalidValue, at: "inputs"),
            Spoilt("outputs[0].shape[2]", "64*slots", .invalidValue, at: "outputs"),
            Spoilt("outputs[0].shape[0]", 1, .invalidValue, at: "outputs"),
            Spoilt("states[0].input", "latent", .invalidValue, at: "states[3]"),
            Spoilt("states[0].output", "audio", .invalidValue, at: "states[1]"),
            Spoilt("states[0].shape", .list([]), .invalidValue),
            Spoilt("states[0].shape", .list([4, 4]), .invalidValue),
            Spoilt("states[0].shape", .list(["batch", "slots"]), .invalidValue),
            Spoilt(
                "states[0].shape", .list(["batch", 2_147_483_647, 2_147_483_647, 2_147_483_647]),
                .invalidValue),
            Spoilt("states[0].shape", .list(["batch", 1024, 1025]), .invalidValue, at: "states"),
            Spoilt("states", .list(manyStates(257, of: 1)), .invalidValue),
            Spoilt("states", .list(manyStates(17, of: 1 << 16)), .invalidValue),
            Spoilt(
                "inputs[2].shape", .list(["batch", 1024, "65*slots"]), .invalidValue, at: "inputs"),
            Spoilt("training.minutes", -1, .invalidValue),
            Spoilt("training.minutes", .number(1e300), .invalidValue),
            Spoilt("training.steps", -1, .invalidValue), Spoilt("training", 7, .wrongType),
            Spoilt("quality", .list([]), .wrongType),
            Spoilt("columns", nil, .missingKey, of: Example.prior),
            Spoilt("instruments", nil, .missingKey, of: Example.prior),
            Spoilt("columns", .list([]), .invalidValue, of: Example.prior),
            Spoilt("columns[0]", "velocity", .invalidValue, at: "columns[1]", of: Example.prior),
            Spoilt("columns[0]", "shoe_size", .invalidValue, of: Example.prior),
            Spoilt("columns[3]", "Temperature", .invalidValue, of: Example.prior),
            Spoilt("columns[5]", "instrument.tuba", .invalidValue, at: "instruments[1]", of: Example.prior),
            Spoilt("instruments[1]", "strings", .invalidValue, of: Example.prior),
            Spoilt("instruments", .list(["strings"]), .invalidValue, at: "columns[5]", of: Example.prior),
            Spoilt("inputs[0].shape[1]", 7, .invalidValue, at: "inputs", of: Example.prior),
            Spoilt("outputs[0].shape[1]", "latents", .invalidValue, at: "outputs", of: Example.prior),
            Spoilt("latentSamples", nil, .missingKey, of: Example.encoder),
            Spoilt("latentSamples", 2000, .invalidValue, of: Example.encoder),
            Spoilt(
                "noteChannels", .list([.number(128)]), .invalidValue, at: "noteChannels[0]",
                of: Example.encoder),
            Spoilt("inputs[0].shape[2]", "1024*latents", .invalidValue, at: "inputs", of: Example.encoder),
        ]

    @Test("that is wrong is refused with its file, key and remedy", arguments: spoilt)
    func refused(_ spoilt: Spoilt) throws {
        let json = spoilt.value.map { spoilt.of.setting(spoilt.path, $0) } ?? spoilt.of.removing(spoilt.path)
        let bytes = try json.bytes
        let error = #expect(throws: ModelsError.self) { try ModelManifest(json: bytes, file: "x.json") }
        #expect(error?.code == spoilt.code, "\(error.map { "\($0)" } ?? "")")
        #expect(error?.key == spoilt.key, "\(error.map { "\($0)" } ?? "")")
        #expect(error?.description.hasPrefix("x.json: \(spoilt.key): ") == true)
        #expect(error?.remedy.isEmpty == false)
        #expect(error?.description.contains("\u{1B}") == false)
    }

    @Test("for a newer echoel says so")
    func newer() throws {
        let bytes = try Example.decoder.setting("formatVersion", 9).setting("kind", .list([])).bytes
        let error = #expect(throws: ModelsError.self) { try ModelManifest(json: bytes, file: "x.json") }
        #expect(error?.code == .newerFormat)
        #expect(error?.remedy == "Update echoel")
    }
}

import Foundation
import Inference
import Models
import Streaming
import TestSupport
import Testing

@Suite("An effect's manifest")
struct EffectManifestTests {
    private func manifest(_ value: JSONValue) throws(ModelsError) -> ModelManifest {
        let bytes = try! value.bytes
        return try ModelManifest(json: bytes, file: "warm.json")
    }

    private let state = StateDescription(input: "state_past", output: "next_past", shape: [2, 332])

    @Test("says how to send sound through it, in the hops that are wanted")
    func forward() throws {
        let effect = try manifest(Example.effect)
        #expect(effect.kind == .effect && effect.method == nil)
        func described(_ hop: Int) -> EffectDescription {
            EffectDescription(
                sampleRate: 44_100, channels: 2, hop: hop, delaySamples: 32,
                methods: [
                    .init(
                        input: .init(name: "audio", shape: [1, 2, hop]),
                        output: .init(name: "audio", shape: [1, 2, hop]), states: [state])
                ])
        }
        #expect(try effect.effectDescription() == described(256))
        #expect(try effect.effectDescription(hop: 1024) == described(1024))
        let error = #expect(throws: ModelsError.self) { try effect.effectDescription(hop: 100) }
        #expect(error?.description.contains("64") == true)
        #expect(throws: ModelsError.self) { try effect.decoderDescription() }
        #expect(throws: ModelsError.self) { try manifest(Example.prior).effectDescription() }
    }

    @Test("may be of windows that are added up")
    func windows() throws {
        let value = Example.effect.setting("windowSamples", 1024).setting("overlapAdd", .bool(true))
        let effect = try manifest(value).effectDescription()
        #expect(effect.window == 1024 && effect.overlapsAndAdds && effect.hop == 256)
        #expect(effect.methods[0].output.shape == [1, 2, 1024])
        #expect(throws: ModelsError.self) { try manifest(value).effectDescription(hop: 512) }
    }

    @Test("may be an encoder's, whose latents have a shape of their own")
    func encoder() throws {
        let effect = try manifest(Example.effectEncoder)
        #expect(effect.method == .encode && effect.decoder?.file == "cold.onnx")
        let description = try effect.effectDescription()
        #expect(description.methods[0].input.shape == [1, 2, 512])
        #expect(description.methods[0].output.shape == [1, 8, 4] && description.window == 512)
    }

    struct Spoilt: Sendable, CustomTestStringConvertible {
        let path: String
        let value: JSONValue?
        var key: String?
        var of: JSONValue = Example.effect
        var testDescription: String { "\(path) = \(value.map { "\($0)" } ?? "missing")" }
    }

    static let spoilt: [Spoilt] =
        ["sampleRate", "hopSamples", "delaySamples"].map { Spoilt(path: $0, value: nil) }
        + [
            Spoilt(path: "sampleRate", value: 7999), Spoilt(path: "hopSamples", value: 0),
            Spoilt(path: "hopSamples", value: 65_537), Spoilt(path: "delaySamples", value: -1),
            Spoilt(path: "hopSamples", value: 100, key: "inputs"), Spoilt(path: "windowSamples", value: 255),
            Spoilt(path: "windowSamples", value: 512, key: "outputs"),
            Spoilt(path: "overlapAdd", value: "yes"), Spoilt(path: "method", value: "sing"),
            Spoilt(path: "method", value: "encode", key: "outputs"),
            Spoilt(path: "method", value: "decode", key: "inputs"),
            Spoilt(path: "inputs[0].role", value: "voice", key: "inputs"),
            Spoilt(path: "inputs[0].type", value: "float16", key: "inputs"),
            Spoilt(path: "inputs[0].shape[1]", value: 17, key: "inputs"),
            Spoilt(path: "inputs[0].shape[1]", value: "channels", key: "inputs"),
            Spoilt(path: "inputs[0].shape[0]", value: 2, key: "inputs"),
            Spoilt(path: "outputs[0].shape[1]", value: 1, key: "outputs"),
            Spoilt(path: "outputs[0].shape[2]", value: 255, key: "outputs"),
            Spoilt(path: "states[0].shape[0]", value: 2, key: "states[0].shape"),
            Spoilt(path: "states[0].shape[2]", value: "frames", key: "states[0].shape"),
            Spoilt(path: "states[0].input", value: "audio", key: "states[1]"),
            Spoilt(path: "decoder", value: .object(["file": "a.onnx", "sha256": .text(Example.digest)])),
            Spoilt(path: "decoder.file", value: "../a.onnx", of: Example.effectEncoder),
            Spoilt(path: "decoder.sha256", value: "12", of: Example.effectEncoder),
            Spoilt(path: "outputs[0].shape[2]", value: "frames", key: "outputs", of: Example.effectEncoder),
            Spoilt(path: "outputs[0].shape[1]", value: 1_000_000, key: "outputs", of: Example.effectEncoder),
        ]

    @Test("that is wrong is refused, and the key is named", arguments: spoilt)
    func refused(_ it: Spoilt) {
        let changed = it.value.map { it.of.setting(it.path, $0) } ?? it.of.removing(it.path)
        let error = #expect(throws: ModelsError.self) { try manifest(changed) }
        #expect(error?.key == it.key ?? it.path, "\(String(describing: error))")
    }

    @Test("is held against the model's metadata")
    func metadata() throws {
        let effect = try manifest(Example.effectEncoder)
        for (key, value) in [("hopSamples", "128"), ("windowSamples", "256"), ("method", "decode")] {
            let error = #expect(throws: ModelsError.self) {
                try effect.check(metadata: [key: value], file: "x")
            }
            #expect(error?.key == key)
        }
        try effect.check(
            metadata: ["hopSamples": "256", "method": "encode", "overlapAdd": "true"], file: "x")
    }
}

@Suite("An effect on disk")
struct InstalledEffectTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for name in ["echo_effect", "pair_encoder", "pair_decoder", "overlap_effect"] {
            for ending in ["onnx", "json"] {
                let file = "\(name).\(ending)"
                let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: fixture(file))))
                _ = try folder.write(file, bytes)
            }
        }
    }

    private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

    @Test("is opened with what its manifest says, and fits its model")
    func opened() throws {
        let runtime = try OnnxRuntime.open()
        for (name, files, delay) in [
            ("echo_effect", 1, 32), ("pair_encoder", 2, 64), ("overlap_effect", 1, 384),
        ] {
            let effect = try InstalledEffect(model: path("\(name).onnx"))
            #expect(effect.models.count == files && effect.description.methods.count == files)
            #expect(effect.description.delaySamples == delay)
            for model in effect.models {
                try model.manifest.check(against: try Session(runtime, model: model.path))
            }
        }
        #expect(try InstalledEffect(model: path("pair_encoder.onnx"), hop: 128).description.hop == 128)
    }

    @Test("that is not whole is refused, and what is missing is named")
    func refused() throws {
        func error(_ name: String) -> ModelsError? {
            #expect(throws: ModelsError.self) { try InstalledEffect(model: path(name)) }
        }
        #expect(error("none.onnx")?.code == .fileNotFound)
        #expect(error("pair_decoder.onnx")?.key == "method")
        let manifest = String(
            decoding: try Data(contentsOf: URL(fileURLWithPath: path("pair_decoder.json"))), as: UTF8.self)
        _ = try folder.write(
            "pair_decoder.json",
            Array(manifest.replacingOccurrences(of: "\"hopSamples\": 256", with: "\"hopSamples\": 512").utf8))
        #expect(error("pair_encoder.onnx")?.key == "decoder")
        try FileManager.default.removeItem(atPath: path("pair_decoder.onnx"))
        #expect(error("pair_encoder.onnx")?.file.hasSuffix("pair_decoder.onnx") == true)
        _ = try folder.write("echo_effect.onnx", [1, 2, 3])
        #expect(error("echo_effect.onnx")?.code == .digestMismatch)
        try FileManager.default.removeItem(atPath: path("overlap_effect.json"))
        #expect(error("overlap_effect.onnx")?.reason.contains("manifest is missing") == true)
    }
}

import Inference
import Models
import Testing

@Suite("A manifest against its model")
struct ContradictionTests {
    private static let inputs = [
        TensorInfo(name: "note", shape: [.dynamic("batch"), .fixed(6)], elementType: .float32)
    ]
    private static let outputs = [
        TensorInfo(name: "latent", shape: [.dynamic("batch"), .fixed(128)], elementType: .float32)
    ]

    private static func found(
        _ inputs: [TensorInfo] = inputs, _ outputs: [TensorInfo] = outputs
    ) throws -> [Contradiction] {
        try ModelManifest(json: Example.prior.bytes, file: "prior.json")
            .contradictions(inputs: inputs, outputs: outputs)
    }

    private static func note(_ shape: [Dimension], _ type: ElementType = .float32, name: String = "note")
        -> [TensorInfo]
    {
        [TensorInfo(name: name, shape: shape, elementType: type)]
    }

    @Test("agrees, whatever the dynamic axes are called")
    func agrees() throws {
        #expect(try Self.found().isEmpty)
        #expect(try Self.found(Self.note([.dynamic("N"), .fixed(6)])).isEmpty)
        #expect(try Self.found(Self.note([.dynamic(nil), .dynamic(nil)])).isEmpty)
        // An exporter may have lost that an output's axis follows the batch.
        #expect(
            try Self.found(
                Self.inputs,
                [TensorInfo(name: "latent", shape: [.fixed(1), .fixed(128)], elementType: .float32)]
            ).isEmpty)
    }

    @Test("differs in rank, size, type, name or number, and the tensor is named")
    func differs() throws {
        let cases: [(inputs: [TensorInfo], tensor: String, word: String)] = [
            (Self.note([.dynamic("batch"), .fixed(5)]), "note", "[batch, 5]"),
            (Self.note([.fixed(1), .fixed(6)]), "note", "[1, 6]"),
            (Self.note([.dynamic("batch"), .fixed(6), .fixed(1)]), "note", "[batch, 6, 1]"),
            (Self.note([.dynamic("batch"), .fixed(6)], .float16), "note", "float16"),
            (Self.inputs + Self.note([], name: "extra"), "extra", "not in the manifest"),
        ]
        for (inputs, tensor, word) in cases {
            let found = try Self.found(inputs)
            #expect(found.map(\.tensor) == [tensor])
            #expect(found.first?.description.contains(word) == true, "\(found)")
        }
        #expect(
            try Self.found(Self.note([.dynamic("batch"), .fixed(6)], name: "notes")).map(\.tensor) == [
                "note", "notes",
            ])
    }

    @Test("holds its numbers and columns against the model's metadata, where there is any")
    func metadata() throws {
        let decoder = try ModelManifest(json: Example.decoder.bytes, file: "decoder.json")
        let prior = try ModelManifest(json: Example.prior.bytes, file: "prior.json")
        func key(_ manifest: ModelManifest, _ metadata: [String: String]) -> String? {
            do throws(ModelsError) {
                try manifest.check(metadata: metadata, file: "x")
                return nil
            } catch {
                #expect(error.code == .contradiction)
                return error.key
            }
        }
        let columns = "pitch,velocity,secondsOn,secondsOff,instrument.strings,instrument.trumpet"
        #expect(key(decoder, [:]) == nil)
        #expect(key(decoder, ["sampleRate": "48000", "delaySamples": "128", "author": "A. Author"]) == nil)
        // An encoder's key, of which a decoder says nothing.
        #expect(key(decoder, ["latentSamples": "2048"]) == nil)
        #expect(key(decoder, ["sampleRate": "44100"]) == "sampleRate")
        #expect(key(decoder, ["slotSamples": "64"]) == "slotSamples")
        #expect(key(decoder, ["maximumSlots": "sixteen"]) == "maximumSlots")
        #expect(key(decoder, ["delaySamples": "0"]) == "delaySamples")
        #expect(key(prior, ["columns": columns]) == nil)
        #expect(key(prior, ["columns": "velocity,pitch" + columns.dropFirst(14)]) == "columns[0]")
        #expect(key(prior, ["columns": "pitch"]) == "columns")
    }

    @Test("covers a streaming model's states")
    func states() throws {
        let manifest = try ModelManifest(json: Example.decoder.bytes, file: "decoder.json")
        let batch = Dimension.dynamic("batch")
        let inputs = [
            TensorInfo(
                name: "latent", shape: [batch, .fixed(128), .dynamic("slots")], elementType: .float32),
            TensorInfo(name: "pitch", shape: [batch, .fixed(1), .dynamic("slots")], elementType: .float32),
            TensorInfo(
                name: "noise", shape: [batch, .fixed(16), .dynamic("8*slots")], elementType: .float32),
            TensorInfo(name: "state_blocks", shape: [batch, .fixed(54), .fixed(64)], elementType: .float32),
        ]
        func outputs(_ size: Int) -> [TensorInfo] {
            [
                TensorInfo(
                    name: "audio", shape: [batch, .fixed(1), .dynamic("128*slots")], elementType: .float32),
                TensorInfo(
                    name: "next_blocks", shape: [batch, .fixed(54), .fixed(size)], elementType: .float32),
            ]
        }
        #expect(manifest.contradictions(inputs: inputs, outputs: outputs(64)).isEmpty)
        #expect(
            manifest.contradictions(inputs: inputs, outputs: outputs(32)).map(\.tensor) == ["next_blocks"])
    }
}

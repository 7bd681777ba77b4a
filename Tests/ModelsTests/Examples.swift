import Foundation
public import Models

/// Manifests that are right, as JSON values to be spoilt.
enum Example {
    static let digest = String(repeating: "0123456789abcdef", count: 4)

    static func tensor(_ name: String, _ shape: [JSONValue]) -> JSONValue {
        .object([
            "name": .text(name), "role": .text(name), "shape": .list(shape), "type": "float32", "unit": "1",
        ])
    }

    static let decoder: JSONValue = .object([
        "formatVersion": 1, "kind": "streaming-decoder", "name": "decoder", "file": "decoder.onnx",
        "sha256": .text(digest), "sizeBytes": 3, "licence": "MIT", "authors": .list(["A. Author"]),
        "attribution": .list([]), "sampleRate": 48000, "slotSamples": 128, "maximumSlots": 16,
        "delaySamples": 128,
        "inputs": .list([
            tensor("latent", ["batch", 128, "slots"]), tensor("pitch", ["batch", 1, "slots"]),
            tensor("noise", ["batch", 16, "8*slots"]),
        ]),
        "outputs": .list([tensor("audio", ["batch", 1, "128*slots"])]),
        "states": .list([
            .object([
                "input": "state_blocks", "output": "next_blocks", "shape": .list(["batch", 54, 64]),
                "unit": "1",
            ])
        ]),
        "training": .object(["summary": "An hour.", "command": "train", "minutes": 60.5, "steps": 5000]),
        "quality": .object(["melDistance": .number(3.2), "notes": .list([.null, .bool(true)])]),
        "reproduce": "measure",
    ])

    static let encoder: JSONValue =
        decoder
        .setting("kind", "streaming-encoder").removing("maximumSlots").setting("latentSamples", 2048)
        .setting("inputs", .list([tensor("audio", ["batch", 1, "2048*latents"])]))
        .setting("outputs", .list([tensor("latent", ["batch", 128, "latents"])]))

    static let effect: JSONValue = .object([
        "formatVersion": 1, "kind": "effect", "name": "warm", "file": "warm.onnx", "sha256": .text(digest),
        "sizeBytes": 3, "licence": "MIT", "authors": .list(["A. Author"]), "sampleRate": 44100,
        "hopSamples": 256,
        "delaySamples": 32,
        "inputs": .list([tensor("audio", ["batch", 2, "64*frames"])]),
        "outputs": .list([tensor("audio", ["batch", 2, "64*frames"])]),
        "states": .list([
            .object(["input": "state_past", "output": "next_past", "shape": .list([1, 2, 332]), "unit": "1"])
        ]),
    ])

    static let effectEncoder: JSONValue =
        effect
        .setting("method", "encode").setting("windowSamples", 512)
        .setting("inputs[0].shape[2]", 512)
        .setting("outputs", .list([tensor("latent", ["batch", 8, 4])]))
        .setting("decoder", .object(["file": "cold.onnx", "sha256": .text(digest)]))

    static let prior: JSONValue = .object([
        "formatVersion": 1, "kind": "prior", "name": "prior", "file": "prior.onnx", "sha256": .text(digest),
        "sizeBytes": 3, "licence": "MIT", "authors": .list([]),
        "columns": .list([
            "pitch", "velocity", "secondsOn", "secondsOff", "instrument.strings", "instrument.trumpet",
        ]),
        "instruments": .list(["strings", "trumpet"]),
        "inputs": .list([tensor("note", ["batch", 6])]),
        "outputs": .list([tensor("latent", ["batch", 128])]),
    ])

    static let instrument: JSONValue = .object([
        "formatVersion": 1, "name": "strings", "title": "String ensemble", "family": "strings",
        "pitched": .bool(true), "lowKey": 36, "highKey": 84, "programs": .list([48, 49]), "licence": "MIT",
        "authors": .list(["A. Author"]), "attribution": .list(["Notes of a soundfont (MIT)"]),
        "decoder": .object(["file": "decoder.onnx", "sha256": .text(digest)]),
        "prior": .object(["file": "prior.onnx", "sha256": .text(digest)]), "instrument": "strings",
        "velocityExponent": .number(2), "gain": .number(0.25), "releaseSeconds": .number(0.6),
        "card": "strings.md",
    ])
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
    public init(floatLiteral value: Double) { self = .number(value) }

    var bytes: [UInt8] {
        get throws { Array(try JSONEncoder().encode(self)) }
    }

    /// With the value at a path such as `inputs[0].shape[2]` replaced, or added.
    func setting(_ path: String, _ value: JSONValue) -> JSONValue {
        changed(Self.steps(path)[...], to: value)
    }

    func removing(_ path: String) -> JSONValue { changed(Self.steps(path)[...], to: nil) }

    private static func steps(_ path: String) -> [String] {
        path.split { ".[]".contains($0) }.map(String.init)
    }

    private func changed(_ steps: ArraySlice<String>, to value: JSONValue?) -> JSONValue {
        guard let step = steps.first else { return value ?? .null }
        let rest = steps.dropFirst()
        switch self {
        case .object(var members):
            members[step] = rest.isEmpty ? value : (members[step] ?? .null).changed(rest, to: value)
            return .object(members)
        case .list(var elements):
            guard let index = Int(step), elements.indices.contains(index) else { return self }
            elements[index] = elements[index].changed(rest, to: value)
            return .list(elements)
        default: return self
        }
    }
}

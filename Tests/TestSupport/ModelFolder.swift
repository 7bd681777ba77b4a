public import Foundation
internal import Inference
public import NeuralSynth
internal import Streaming

/// The instruments of `Models/NeuralSynth`, read straight from their JSON files.
public enum ShippedModels {
    /// The checkout's root.
    public static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    public static let folder = root.appending(path: "Models/NeuralSynth")

    private struct InstrumentFile: Decodable {
        struct Reference: Decodable { let file: String }
        let name, instrument: String
        let lowKey, highKey: Int
        let programs: [Int]
        let decoder, prior: Reference
        let velocityExponent, gain, releaseSeconds: Float
    }

    private struct DecoderFile: Decodable {
        enum Axis: Decodable {
            case fixed(Int)
            case named(String)
            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let size = try? container.decode(Int.self) {
                    self = .fixed(size)
                } else {
                    self = .named(try container.decode(String.self))
                }
            }
            var size: Int? { if case .fixed(let size) = self { size } else { nil } }
        }
        struct Tensor: Decodable {
            let name: String
            let shape: [Axis]
        }
        struct State: Decodable {
            let input, output: String
            let shape: [Axis]
        }
        let sampleRate, slotSamples, maximumSlots, delaySamples: Int
        let inputs: [Tensor]
        let states: [State]
    }

    private struct PriorFile: Decodable { let columns: [String] }

    private static func read<File: Decodable>(_ type: File.Type, _ name: String) throws -> File {
        try JSONDecoder().decode(type, from: Data(contentsOf: folder.appending(path: name)))
    }

    private static func manifest(of model: String) -> String { model.replacing(".onnx", with: ".json") }

    /// The decoder and prior that an instrument names.
    public static func model(of instrument: String, threads: Int = 1) throws -> NeuralModel {
        let file = try read(InstrumentFile.self, "\(instrument).instrument.json")
        let decoder = try read(DecoderFile.self, manifest(of: file.decoder.file))
        let prior = try read(PriorFile.self, manifest(of: file.prior.file))
        let latentSize = decoder.inputs.first { $0.name == "latent" }?.shape[1].size ?? 0
        let runtime = try OnnxRuntime.open()
        let options = SessionOptions(intraOpThreads: threads)
        return NeuralModel(
            decoder: try Session(
                runtime, model: folder.appending(path: file.decoder.file).path(), options: options),
            decoderDescription: StreamingDecoderDescription(
                sampleRate: decoder.sampleRate, slotSamples: decoder.slotSamples,
                maximumSlots: decoder.maximumSlots, delaySamples: decoder.delaySamples,
                latentSize: latentSize,
                noiseBands: 16, noiseFramesPerSlot: 8,
                states: decoder.states.map {
                    StateDescription(input: $0.input, output: $0.output, shape: $0.shape.compactMap(\.size))
                }),
            prior: try Session(
                runtime, model: folder.appending(path: file.prior.file).path(), options: options),
            priorDescription: PriorDescription(columns: prior.columns, latentSize: latentSize))
    }

    /// Instruments that share the first one's model.
    public static func instruments(_ names: [String], threads: Int = 1) throws -> [NeuralInstrument] {
        let shared = try model(of: names[0], threads: threads)
        return try names.map { name in
            let file = try read(InstrumentFile.self, "\(name).instrument.json")
            return NeuralInstrument(
                name: file.name, model: shared, priorInstrument: file.instrument,
                keys: file.lowKey...file.highKey, gain: file.gain, velocityExponent: file.velocityExponent,
                releaseSeconds: file.releaseSeconds, programs: file.programs)
        }
    }
}

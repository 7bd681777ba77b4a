internal import Foundation
public import Inference
public import NeuralSynth
public import Streaming

/// A folder of instruments, read straight from their JSON files.
public struct ModelFolder: Sendable {
    /// The instruments that are shipped.
    public static let shipped = ModelFolder(folder: URL(filePath: "\(repositoryRoot)/Models/NeuralSynth"))
    /// The instruments of `echoel_training fixtures`: sines that can be computed by heart.
    public static let fixtures = ModelFolder(folder: URL(filePath: "\(repositoryRoot)/Tests/Fixtures"))

    let folder: URL

    struct InstrumentFile: Decodable {
        struct Reference: Decodable { let file: String }
        let name: String
        let instrument: String?
        let lowKey, highKey: Int
        let programs: [Int]
        let decoder, prior: Reference
        let encoder: Reference?
        let velocityExponent, gain, releaseSeconds: Float
        let temperature: Float?
    }

    struct StreamingFile: Decodable {
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
        let sampleRate, slotSamples, delaySamples: Int
        let maximumSlots, latentSamples: Int?
        let inputs, outputs: [Tensor]
        let states: [State]

        var stateDescriptions: [StateDescription] {
            states.map {
                StateDescription(input: $0.input, output: $0.output, shape: $0.shape.compactMap(\.size))
            }
        }
    }

    struct PriorFile: Decodable { let columns: [String] }

    /// Opens instruments; those that name the same decoder or prior share it.
    public func instruments(_ names: [String], threads: Int = 1) throws -> [NeuralInstrument] {
        var decoders: [String: NeuralDecoder] = [:]
        var priors: [String: NeuralPrior] = [:]
        return try names.map { name in
            let file = try read(InstrumentFile.self, "\(name).instrument.json")
            let decoder = try decoders[file.decoder.file] ?? self.decoder(file.decoder.file, threads: threads)
            decoders[file.decoder.file] = decoder
            let prior =
                try priors[file.prior.file]
                ?? self.prior(
                    file.prior.file, latentSize: decoder.description.latentSize, threads: threads)
            priors[file.prior.file] = prior
            return NeuralInstrument(
                name: file.name, decoder: decoder, prior: prior, priorInstrument: file.instrument,
                keys: file.lowKey...file.highKey, gain: file.gain, velocityExponent: file.velocityExponent,
                releaseSeconds: file.releaseSeconds, programs: file.programs,
                temperature: file.temperature ?? 1)
        }
    }

    /// The decoder that an instrument names.
    public func decoder(of instrument: String) throws -> NeuralDecoder {
        try decoder(read(InstrumentFile.self, "\(instrument).instrument.json").decoder.file, threads: 1)
    }

    /// The encoder and the decoder that an instrument names, as one thing that takes recordings.
    public func resynthesizer(of instrument: String, maximumNotes: Int = 8) throws -> Resynthesizer {
        let (encoder, decoder) = try (self.encoder(of: instrument), self.decoder(of: instrument))
        return try Resynthesizer(
            encoder: encoder.session, encoderDescription: encoder.description, decoder: decoder.session,
            decoderDescription: decoder.description, maximumNotes: maximumNotes)
    }

    /// The encoder that an instrument names, which must have one.
    public func encoder(of instrument: String) throws -> (
        session: Session, description: StreamingEncoderDescription
    ) {
        let model = try read(InstrumentFile.self, "\(instrument).instrument.json").encoder!.file
        let file = try read(StreamingFile.self, manifest(of: model))
        return (
            try session(model, threads: 1),
            StreamingEncoderDescription(
                sampleRate: file.sampleRate, latentSamples: file.latentSamples ?? 0,
                latentSize: file.outputs.first { $0.name == "latent" }?.shape[1].size ?? 0,
                states: file.stateDescriptions)
        )
    }

    private func decoder(_ model: String, threads: Int) throws -> NeuralDecoder {
        let file = try read(StreamingFile.self, manifest(of: model))
        return NeuralDecoder(
            session: try session(model, threads: threads),
            description: StreamingDecoderDescription(
                sampleRate: file.sampleRate, slotSamples: file.slotSamples,
                maximumSlots: file.maximumSlots ?? 0, delaySamples: file.delaySamples,
                latentSize: file.inputs.first { $0.name == "latent" }?.shape[1].size ?? 0, noiseBands: 16,
                noiseFramesPerSlot: 8, states: file.stateDescriptions))
    }

    private func prior(_ model: String, latentSize: Int, threads: Int) throws -> NeuralPrior {
        let file = try read(PriorFile.self, manifest(of: model))
        return NeuralPrior(
            session: try session(model, threads: threads),
            description: PriorDescription(columns: file.columns, latentSize: latentSize))
    }

    private func session(_ model: String, threads: Int) throws -> Session {
        try Session(
            OnnxRuntime.open(), model: folder.appending(path: model).path(),
            options: SessionOptions(intraOpThreads: threads))
    }

    private func manifest(of model: String) -> String { model.replacing(".onnx", with: ".json") }

    private func read<File: Decodable>(_ type: File.Type, _ name: String) throws -> File {
        try JSONDecoder().decode(type, from: Data(contentsOf: folder.appending(path: name)))
    }
}

import Inference
import Models
import NeuralSynth
import Streaming

/// Opens instruments' models and checks them against their manifests. Models of the same bytes are opened once, and
/// instruments that share a decoder are so played in one batch.
struct InstrumentLoader {
    let runtime: OnnxRuntime
    let store: ModelStore
    let threads: Int
    /// By SHA-256.
    private var decoders: [String: NeuralDecoder] = [:]
    private var priors: [String: NeuralPrior] = [:]

    init(runtime: OnnxRuntime, store: ModelStore, threads: Int) {
        self.runtime = runtime
        self.store = store
        self.threads = threads
    }

    /// - Throws: `ModelsError`, `InferenceError`.
    mutating func load(_ manifest: InstrumentManifest) throws -> NeuralInstrument {
        let installed = try store.verify(manifest)
        return NeuralInstrument(
            name: manifest.name, decoder: try decoder(installed.decoder), prior: try prior(installed.prior),
            priorInstrument: manifest.instrument, keys: manifest.lowKey...manifest.highKey,
            gain: Float(manifest.gain), velocityExponent: Float(manifest.velocityExponent),
            releaseSeconds: Float(manifest.releaseSeconds), programs: manifest.programs,
            temperature: Float(manifest.temperature ?? 1))
    }

    /// The instrument's encoder and decoder, and what its prior says of whole notes where the encoder asks for it.
    ///
    /// - Throws: `unusable` when it has no encoder; `ModelsError`, `InferenceError`.
    mutating func resynthesizer(of manifest: InstrumentManifest) throws -> (Resynthesizer, NoteLatents?) {
        let installed = try store.verify(manifest, withEncoder: true)
        guard let encoder = installed.encoder else {
            throw ToolError(
                .unusable,
                "The instrument \(manifest.name) has no encoder, which takes recordings. Choose another, or add the "
                    + "key encoder to \(manifest.name)\(InstrumentManifest.fileSuffix).")
        }
        let resynthesizer = try Resynthesizer(
            encoder: try open(encoder), encoderDescription: try encoder.manifest.encoderDescription(),
            decoder: try open(installed.decoder),
            decoderDescription: try installed.decoder.manifest.decoderDescription())
        guard !resynthesizer.noteChannels.isEmpty else { return (resynthesizer, nil) }
        return (resynthesizer, try NoteLatents(of: try load(manifest)))
    }

    private mutating func decoder(_ model: InstalledModel) throws -> NeuralDecoder {
        if let known = decoders[model.sha256] { return known }
        let decoder = NeuralDecoder(
            session: try open(model), description: try model.manifest.decoderDescription())
        decoders[model.sha256] = decoder
        return decoder
    }

    private mutating func prior(_ model: InstalledModel) throws -> NeuralPrior {
        if let known = priors[model.sha256] { return known }
        let prior = NeuralPrior(
            session: try open(model), description: try model.manifest.priorDescription())
        priors[model.sha256] = prior
        return prior
    }

    private func open(_ model: InstalledModel) throws -> Session {
        let session = try Session(
            runtime, model: model.path, options: SessionOptions(intraOpThreads: threads))
        try model.manifest.check(against: session)
        return session
    }
}

extension InstalledModel {
    /// In lower case: a manifest may write it either way.
    fileprivate var sha256: String { manifest.sha256.lowercased() }
}

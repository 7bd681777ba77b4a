public import Inference
public import NeuralSynth
internal import Streaming

/// Opens instruments' models and checks them against their manifests. Models of the same bytes are opened once, and
/// instruments that share a decoder are so played in one batch.
///
/// Room: control.
public struct InstrumentLoader {
    public let runtime: OnnxRuntime
    public let store: ModelStore
    /// That ONNX Runtime may use within an operator of a model.
    public let threads: Int
    /// By SHA-256.
    private var decoders: [String: NeuralDecoder] = [:]
    private var priors: [String: NeuralPrior] = [:]

    public init(runtime: OnnxRuntime, store: ModelStore, threads: Int) {
        self.runtime = runtime
        self.store = store
        self.threads = threads
    }

    /// Verifies an instrument's models, opens them, and checks them against their manifests.
    ///
    /// - Throws: `ModelsError`, `InferenceError`.
    public mutating func load(_ manifest: InstrumentManifest) throws -> NeuralInstrument {
        let installed = try store.verify(manifest)
        return NeuralInstrument(
            name: manifest.name, decoder: try decoder(installed.decoder), prior: try prior(installed.prior),
            priorInstrument: manifest.instrument, keys: manifest.lowKey...manifest.highKey,
            gain: Float(manifest.gain), velocityExponent: Float(manifest.velocityExponent),
            releaseSeconds: Float(manifest.releaseSeconds), programs: manifest.programs,
            temperature: Float(manifest.temperature ?? 1))
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

    /// Opens a model and checks it against its manifest.
    ///
    /// - Throws: `ModelsError`, `InferenceError`.
    public func open(_ model: InstalledModel) throws -> Session {
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

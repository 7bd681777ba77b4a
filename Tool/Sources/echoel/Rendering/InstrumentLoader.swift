import Inference
import Models
import NeuralSynth
import Streaming

/// Opens instruments' models, each once, and checks them against their manifests.
struct InstrumentLoader {
    let runtime: OnnxRuntime
    let store: ModelStore
    let threads: Int
    private var models: [Pair: NeuralModel] = [:]

    private struct Pair: Hashable {
        let decoder, prior: InstrumentManifest.ModelReference
    }

    init(runtime: OnnxRuntime, store: ModelStore, threads: Int) {
        self.runtime = runtime
        self.store = store
        self.threads = threads
    }

    /// - Throws: `ModelsError`, `InferenceError`.
    mutating func load(_ manifest: InstrumentManifest) throws -> NeuralInstrument {
        NeuralInstrument(
            name: manifest.name, model: try model(of: manifest), priorInstrument: manifest.instrument,
            keys: manifest.lowKey...manifest.highKey, gain: Float(manifest.gain),
            velocityExponent: Float(manifest.velocityExponent),
            releaseSeconds: Float(manifest.releaseSeconds),
            programs: manifest.programs, temperature: Float(manifest.temperature ?? 1))
    }

    private mutating func model(of manifest: InstrumentManifest) throws -> NeuralModel {
        let pair = Pair(decoder: manifest.decoder, prior: manifest.prior)
        let installed = try store.verify(manifest)
        if let model = models[pair] { return model }
        let options = SessionOptions(intraOpThreads: threads)
        let decoder = try Session(runtime, model: installed.decoder.path, options: options)
        try installed.decoder.manifest.check(against: decoder)
        let prior = try Session(runtime, model: installed.prior.path, options: options)
        try installed.prior.manifest.check(against: prior)
        let model = NeuralModel(
            decoder: decoder, decoderDescription: try installed.decoder.manifest.decoderDescription(),
            prior: prior,
            priorDescription: try installed.prior.manifest.priorDescription())
        models[pair] = model
        return model
    }
}

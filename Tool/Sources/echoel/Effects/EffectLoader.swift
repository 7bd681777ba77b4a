import Inference
import Models
import Streaming

/// Opens models that sound is sent through.
enum EffectLoader {
    /// An effect by its manifest, whose files are verified and compared with it.
    ///
    /// - Throws: `ModelsError`, `InferenceError`.
    static func model(
        _ runtime: OnnxRuntime, _ path: String, hop: Int?, _ options: SessionOptions
    ) throws -> EffectModel {
        let effect = try InstalledEffect(model: path, hop: hop)
        let sessions = try effect.models.map { model in
            let session = try Session(runtime, model: model.path, options: options)
            try model.manifest.check(against: session)
            return session
        }
        return try EffectModel(sessions, effect.description)
    }

    /// An effect by its manifest; without one, a model of one input and one output that remembers nothing.
    static func anyModel(
        _ runtime: OnnxRuntime, _ path: String, hop: Int?, _ options: SessionOptions
    ) throws -> EffectModel {
        if try ModelManifest.beside(model: path)?.kind == .effect {
            return try model(runtime, path, hop: hop, options)
        }
        return try EffectModel(Session(runtime, model: path, options: options), hop: hop)
    }
}

/// How long the work on a hop takes on this machine.
enum MeasuredWork {
    /// Samples of the sound's time that the slowest of 200 runs takes, and a quarter more; at most a hop, which no model may
    /// exceed.
    ///
    /// - Throws: `unusable` for a model that does not keep up.
    static func samples(of model: EffectModel, sampleRate: Int) throws -> Int {
        let statistics = try model.measureLatency(runs: 200)
        let effect = model.description
        let hop = effect.hop * sampleRate / (effect.sampleRate ?? sampleRate)
        func samples(_ milliseconds: Double) -> Double { 1e-3 * milliseconds * Double(sampleRate) }
        guard hop > 0, samples(statistics.p50Milliseconds) < Double(hop) else {
            throw ToolError(
                .unusable,
                "A run takes \(statistics.p50Milliseconds.formatted(decimals: 2)) ms for \(effect.hop) samples: it does not "
                    + "keep up with \(effect.sampleRate ?? sampleRate) Hz. Give it longer hops, or take a smaller model."
            )
        }
        return min(max(Int(samples(1.25 * statistics.maxMilliseconds).rounded(.up)), 1), hop)
    }
}

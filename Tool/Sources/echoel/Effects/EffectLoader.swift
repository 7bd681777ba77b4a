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

    /// What belongs to an effect, as far as it can be read: the model, its manifest, and those of its decoder.
    static func files(_ path: String) -> [String] {
        var models = [path]
        if let decoder = (try? ModelManifest.beside(model: path))?.decoder {
            let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            models.append((folder.map(String.init) + [decoder.file]).joined(separator: "/"))
        }
        return models.flatMap { [$0, ModelManifest.path(besideModel: $0)] }
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
    /// Samples of the sound's time that the slowest of 200 runs takes, and a quarter more; at most so many that a worker's
    /// runs for all its streams take a hop, which no model may exceed.
    ///
    /// - Throws: `unusable` for a model that does not keep up.
    static func samples(of model: EffectModel, sampleRate: Int, streams: Int, workers: Int) throws -> Int {
        let statistics = try model.measureLatency(runs: 200)
        let effect = model.description
        let hop = effect.hop * sampleRate / (effect.sampleRate ?? sampleRate)
        let rounds = (streams + workers - 1) / workers
        func samples(_ milliseconds: Double) -> Double { 1e-3 * milliseconds * Double(sampleRate) }
        guard samples(statistics.p50Milliseconds) * Double(rounds) < Double(max(hop, 1)) else {
            let remedy = rounds > 1 ? "Take --workers \(streams), longer hops" : "Give it longer hops"
            throw ToolError(
                .unusable,
                "A run takes \(statistics.p50Milliseconds.formatted(decimals: 2)) ms for \(effect.hop) samples, and there are "
                    + "\(rounds) one after the other: that does not keep up with \(effect.sampleRate ?? sampleRate) Hz. "
                    + "\(remedy), or a smaller model.")
        }
        let slowest = Int(samples(1.25 * statistics.maxMilliseconds).rounded(.up))
        return min(max(slowest, 1), max(hop / rounds, 1))
    }
}

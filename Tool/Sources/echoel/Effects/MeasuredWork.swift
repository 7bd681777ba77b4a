import Inference
import Realtime
import Streaming

/// How long the work on a hop takes on this machine.
enum MeasuredWork {
    /// Samples of the sound's time that the slowest of 200 runs takes, a quarter more, and until a worker has noticed it; at
    /// most so many that a worker's runs for all its streams take a hop, which no model may exceed.
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
        // Once for all its streams.
        let noticing = 1e-6 * Double(PacedSemaphore.lateness) / Double(rounds)
        let slowest = Int(samples(1.25 * statistics.maxMilliseconds + noticing).rounded(.up))
        return min(max(slowest, 1), max(hop / rounds, 1))
    }
}

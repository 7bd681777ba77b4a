import Inference
import Streaming
import TestSupport

/// An effect on a clock of samples: a hop that becomes due at a time is done some time later by the one worker, one hop
/// after the other.
struct EffectSimulation {
    let engine: AsyncInferenceEngine
    let channels: Int
    /// Channel by channel, since the start or the last reset.
    var inputs: [[Float]], outputs: [[Float]]
    var position = 0
    /// When hops became due that are not done, and when the worker has done the one before.
    private var due: [Double] = []
    private var free = 0.0
    var stalledUntil = 0.0
    private let rates: (sound: Int, model: Int)

    init(_ session: Session, _ configuration: EffectConfiguration) throws {
        try self.init(EffectModel(session, hop: configuration.hop), configuration)
    }

    init(_ model: EffectModel, _ configuration: EffectConfiguration) throws {
        engine = try AsyncInferenceEngine(model, configuration, isThreaded: false)
        channels = engine.channels
        inputs = Array(repeating: [], count: channels)
        outputs = inputs
        let rate = model.description.sampleRate ?? 1
        rates = (configuration.sampleRate ?? rate, rate)
    }

    var input: [Float] { inputs[0] }
    var heard: [Float] { outputs[0] }

    /// Samples at the model's rate that have come in with `frames`.
    private func modelFrames(_ frames: Int) -> Int {
        (frames * rates.model + rates.sound - 1) / rates.sound
    }

    /// Plays a block of what `sound` gives for a frame of the first channel; the others are different.
    mutating func play(
        _ frames: Int, work: (inout SeededGenerator) -> Double, _ generator: inout SeededGenerator,
        sound: (Int) -> Float
    ) throws {
        try finish(until: Double(position), work: work, &generator)
        let blocks = (0..<channels).map { channel in
            (0..<frames).map { sound(position + $0 + 17 * channel) }
        }
        let samples = Array(blocks.joined())
        var output = [Float](repeating: .nan, count: channels * frames)
        var span = output.mutableSpan
        engine.streams[0].process(samples.span, &span, frames: frames)
        for channel in 0..<channels {
            inputs[channel] += blocks[channel]
            outputs[channel] += output[channel * frames..<(channel + 1) * frames]
        }
        let (before, after) = (
            modelFrames(position) / engine.hop, modelFrames(position + frames) / engine.hop
        )
        for _ in before..<after { due.append(Double(position)) }
        position += frames
    }

    /// Does what the worker has done by then.
    private mutating func finish(
        until time: Double, work: (inout SeededGenerator) -> Double, _ generator: inout SeededGenerator
    ) throws {
        while let first = due.first {
            let end = max(first, free, stalledUntil) + work(&generator)
            if end > time { return }
            free = end
            due.removeFirst()
            _ = try engine.runNext()
        }
    }

    mutating func reset() {
        engine.streams[0].reset()
        inputs = Array(repeating: [], count: channels)
        outputs = inputs
        (position, free, stalledUntil, due) = (0, 0, 0, [])
    }

    /// The frames whose sound is not half of what came in.
    func wrong(from first: Int = 0) -> Int {
        let latency = engine.latency.total
        return (first..<heard.count).count { frame in
            heard[frame] != (frame < latency ? 0 : 0.5 * input[frame - latency])
        }
    }
}

import Inference
import Signal
import Streaming
import TestSupport

/// Models that can be swapped, each freshly opened.
enum SlotModel: CaseIterable {
    /// The half of what comes in, for each channel by itself, or for both at once.
    case half, bothHalf
    /// Two channels, with states, 32 samples late, at 44.1 kHz.
    case echo
    /// Windows of 512 samples at 48 kHz, one channel.
    case window, overlap

    func open(hop: Int) throws -> EffectModel {
        let runtime = try OnnxRuntime.open()
        func tensor(_ name: String, _ channels: Int, _ samples: Int) -> EffectDescription.Tensor {
            .init(name: name, shape: [1, channels, samples])
        }
        func windows(_ file: String, _ output: String, gives samples: Int) throws -> EffectModel {
            try EffectModel(
                [Session(runtime, model: fixture(file))],
                EffectDescription(
                    sampleRate: 48_000, channels: 1, hop: 128, window: 512, overlapsAndAdds: samples == 512,
                    delaySamples: 384,
                    methods: [.init(input: tensor("audio", 1, 512), output: tensor(output, 1, samples))]))
        }
        switch self {
        case .half, .bothHalf:
            let channels = self == .half ? 1 : 2
            return try EffectModel(
                [Session(runtime, model: fixture("gain_effect.onnx"))],
                EffectDescription(
                    sampleRate: nil, channels: channels, hop: hop,
                    methods: [
                        .init(
                            input: tensor("audio", channels, hop), output: tensor("quieter", channels, hop))
                    ]))
        case .echo:
            return try EffectModel(
                [Session(runtime, model: fixture("echo_effect.onnx"))],
                EffectDescription(
                    sampleRate: 44_100, channels: 2, hop: hop, delaySamples: 32,
                    methods: [
                        .init(
                            input: tensor("audio", 2, hop), output: tensor("echo", 2, hop),
                            states: [
                                StateDescription(input: "state_past", output: "next_past", shape: [2, 332])
                            ])
                    ]))
        case .window: return try windows("window_effect.onnx", "oldest", gives: 128)
        case .overlap: return try windows("overlap_effect.onnx", "weighted", gives: 512)
        }
    }
}

/// A slot of two channels that is played block by block, and beside it every model by itself, given the same sound from
/// the block on in which the slot takes it, with the same work done: what is heard has to be what they say, to the bit.
struct SlotSession {
    static let fadeFrames = 700

    /// A model by itself.
    struct Alone {
        let engine: AsyncInferenceEngine
        /// Frames until the fade may begin.
        let settled: Int
        var output: [Float] = []
    }

    struct Weak { weak var engine: AsyncInferenceEngine? }

    let slot: EffectSlot
    let configuration: EffectConfiguration
    private var current: Alone
    private var next: Alone?
    private var waiting: Alone?
    private var fade = Fade.never
    private var position = 0
    private(set) var heard: [Float] = []
    /// Samples that are not as they have to be.
    private(set) var wrong = 0
    /// Models that were faded in whole.
    private(set) var swaps = 0
    private(set) var missed = 0
    private(set) var skippedHops = 0
    private(set) var engines: [Weak] = []

    init(_ model: EffectModel, _ configuration: EffectConfiguration) throws {
        slot = try EffectSlot(
            model, channels: 2, configuration, fadeFrames: Self.fadeFrames, isThreaded: false)
        self.configuration = configuration
        current = try Self.alone(model, configuration)
        engines = slot.engines.map { Weak(engine: $0) }
    }

    private static func alone(_ model: EffectModel, _ configuration: EffectConfiguration) throws -> Alone {
        let it = model.description
        var configuration = configuration
        configuration.streams = 2 / it.channels
        let engine = try AsyncInferenceEngine(model, configuration, isThreaded: false)
        let sound = configuration.sampleRate ?? 1
        let rate = it.sampleRate ?? sound
        let window = ((it.window - it.hop) * sound + rate - 1) / rate
        return Alone(engine: engine, settled: engine.latency.total + engine.latency.resampling + window)
    }

    mutating func swap(to model: EffectModel) throws {
        try slot.swap(to: model)
        waiting = try Self.alone(model, configuration)
        engines.append(Weak(engine: slot.engines.last))
    }

    mutating func reset() {
        slot.reset()
        slot.collect()  // what is over works no more, here and there
        if next != nil { end() }
        for stream in current.engine.streams { stream.reset() }
        position = 0
    }

    /// - Parameter hops: the most that every model computes after the block.
    mutating func play(_ frames: Int, hops: Int, sound: (_ frame: Int, _ channel: Int) -> Float) throws {
        let input = (0..<2).flatMap { channel in (0..<frames).map { sound(position + $0, channel) } }
        var output = [Float](repeating: .nan, count: 2 * frames)
        var span = output.mutableSpan
        slot.process(input.span, &span, frames: frames)

        if next == nil, let taken = waiting {
            (next, waiting) = (taken, nil)
            fade = Fade(start: position + taken.settled, length: Self.fadeFrames)
            if position == 0 {
                end()
                slot.collect()
            }
        }
        try Self.play(&current, input, frames)
        if next != nil { try Self.play(&next!, input, frames) }
        for i in 0..<2 * frames where output[i] != expected(i, frames) { wrong += 1 }
        heard += output
        position += frames

        for engine in slot.engines + [current.engine] + (next.map { [$0.engine] } ?? []) {
            for _ in 0..<hops { if try !engine.runNext() { break } }
        }
        if next != nil, position >= fade.end {
            swaps += 1
            end()
        }
    }

    private static func play(_ alone: inout Alone, _ input: [Float], _ frames: Int) throws {
        let streams = alone.engine.streams
        let count = 2 / streams.count * frames
        alone.output = []
        for (index, stream) in streams.enumerated() {
            var output = [Float](repeating: .nan, count: count)
            var span = output.mutableSpan
            stream.process(input.span.extracting(index * count..<(index + 1) * count), &span, frames: frames)
            alone.output += output
        }
    }

    private func expected(_ i: Int, _ frames: Int) -> Float {
        guard let next else { return current.output[i] }
        let (old, new) = (current.output[i], next.output[i])
        let gain = fade.gain(at: position + i % frames)
        return gain == 1 ? old : gain == 0 ? new : old + (new - old) * (1 - gain)
    }

    private mutating func end() {
        count(current)
        current = next!
        next = nil
    }

    private mutating func count(_ alone: Alone) {
        missed += alone.engine.streams.map(\.status.missedFrames).max()!
        skippedHops += alone.engine.streams.map(\.status.skippedHops).reduce(0, +)
    }

    /// Whether the slot has counted what the models by themselves have. At the end only.
    mutating func countsAreEqual() -> Bool {
        count(current)
        if let next { count(next) }
        let status = slot.status
        return status.missedFrames == missed && status.skippedHops == skippedHops
    }
}

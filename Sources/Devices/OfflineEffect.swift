public import Inference
public import Streaming

/// The deterministic double of a device with an effect: sound goes through a model as fast as it can, nothing is ever late,
/// and the latency is trimmed from the start.
///
/// Room: control.
public struct OfflineEffect {
    /// Of the sound.
    public let channels: Int
    public let sampleRate: Int
    public let latency: Latency
    private let slot: EffectSlot
    private static let blockFrames = 512

    /// - Parameters:
    ///   - channels: 1…16 for a model of one channel, which each of them goes through by itself; else the model's.
    ///   - sampleRate: of the sound, Hz.
    /// - Throws: what `EffectSlot` throws.
    public init(_ model: EffectModel, channels: Int, sampleRate: Int) throws(InferenceError) {
        // Between two blocks the worker does all that is due.
        let configuration = EffectConfiguration(
            blockFrames: Self.blockFrames, workSamples: 1, sampleRate: sampleRate,
            workers: 1, concealment: .silence)
        slot = try EffectSlot(model, channels: channels, configuration, isThreaded: false)
        latency = slot.latency
        self.channels = channels
        self.sampleRate = sampleRate
    }

    /// Sends a sound through the model, block by block; what comes out is as long and in time with it.
    ///
    /// - Parameters:
    ///   - read: fills its argument, `channels` rows of frames, and returns how many frames there were, less than a row only
    ///     at the end. What it throws ends everything.
    ///   - write: takes rows of what comes out, and how many frames they have.
    public func render(
        read: (inout [[Float]]) throws -> Int, write: ([[Float]], Int) throws -> Void
    ) throws {
        slot.reset()
        let block = Self.blockFrames
        var rows = [[Float]](repeating: [Float](repeating: 0, count: block), count: channels)
        var (known, written, toTrim) = (0, 0, latency.total)
        var hasEnded = false
        while !hasEnded || written < known {
            var count = 0
            if !hasEnded {
                count = try read(&rows)
                known += count
                hasEnded = count < block
            }
            for channel in rows.indices {
                for frame in count..<block { rows[channel][frame] = 0 }
            }
            try process(&rows)
            let first = min(toTrim, block)
            toTrim -= first
            let end = min(block, first + known - written)
            if first < end {
                try write(rows.map { Array($0[first..<end]) }, end - first)
                written += end - first
            }
        }
    }

    private func process(_ rows: inout [[Float]]) throws {
        let block = Self.blockFrames
        let input = Array(rows.joined())
        var output = input
        var span = output.mutableSpan
        slot.process(input.span, &span, frames: block)
        for row in rows.indices { rows[row] = Array(output[row * block..<(row + 1) * block]) }
        for engine in slot.engines { while try engine.runNext() {} }
    }
}

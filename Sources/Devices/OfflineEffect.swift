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
    private let engine: AsyncInferenceEngine
    private static let blockFrames = 512

    /// - Parameters:
    ///   - channels: 1…16 for a model of one channel, which each of them goes through by itself; else the model's.
    ///   - sampleRate: of the sound, Hz.
    /// - Throws: what `AsyncInferenceEngine` throws, and `invalidArgument` for channels that the model does not have.
    public init(_ model: EffectModel, channels: Int, sampleRate: Int) throws(InferenceError) {
        // Between two blocks the worker does all that is due.
        let configuration = EffectConfiguration(
            blockFrames: Self.blockFrames, workSamples: 1, sampleRate: sampleRate,
            streams: try model.streams(forChannels: channels), workers: 1, concealment: .silence)
        engine = try AsyncInferenceEngine(model, configuration, isThreaded: false)
        latency = engine.latency
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
        for stream in engine.streams { stream.reset() }
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
        let perStream = channels / engine.streams.count
        for (index, stream) in engine.streams.enumerated() {
            let input = Array(rows[index * perStream..<(index + 1) * perStream].joined())
            var output = input
            var span = output.mutableSpan
            stream.process(input.span, &span, frames: block)
            for row in 0..<perStream {
                rows[index * perStream + row] = Array(output[row * block..<(row + 1) * block])
            }
        }
        while try engine.runNext() {}
    }
}

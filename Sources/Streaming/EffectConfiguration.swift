internal import Inference

/// How a model is run on sound that comes in.
public struct EffectConfiguration: Sendable, Equatable {
    /// The most frames of a block, 1…16,384.
    public var blockFrames: Int
    /// Whether blocks may have any number of frames up to that, as in a plugin; devices give equally long ones.
    public var blocksVary: Bool
    /// Samples that the model takes at once, 1…65536; nil where its input or its manifest says so.
    public var hop: Int?
    /// Samples by which the model's output is late by itself, 0…65536, besides those that its manifest tells.
    public var modelDelaySamples: Int
    /// How long a run may take, in samples of the sound's time, 1…65536, with the 0.2 ms that a worker takes to notice that
    /// there is one to do: what the look-ahead is made for.
    public var workSamples: Int
    /// From what comes in to its sound, in samples of the sound, 0…2²⁰; nil is the least that the model and the blocks ask
    /// for. What is more than that the workers have to compute in.
    public var latencySamples: Int?
    /// Of the sound, Hz, 8000…384,000; nil where it is the model's. Where they differ, the sound is resampled.
    public var sampleRate: Int?
    /// Sounds that go through the model side by side, 1…64.
    public var streams: Int
    /// Threads that run the model, 1…64.
    public var workers: Int
    /// SCHED_FIFO's, 1…99, where the system permits it.
    public var workerPriority: Int
    public var concealment: Policy

    /// What is heard in the place of what was late. Every change is a fade of 2.7 ms at 48 kHz.
    public enum Policy: String, Sendable, CaseIterable {
        case silence
        /// The sound as it came in, as late as the model's would be.
        case dry
    }

    public init(
        blockFrames: Int = 256, blocksVary: Bool = false, hop: Int? = nil, modelDelaySamples: Int = 0,
        workSamples: Int, latencySamples: Int? = nil, sampleRate: Int? = nil, streams: Int = 1,
        workers: Int = 1, workerPriority: Int = 60, concealment: Policy = .dry
    ) {
        self.blockFrames = blockFrames
        self.blocksVary = blocksVary
        self.hop = hop
        self.modelDelaySamples = modelDelaySamples
        self.workSamples = workSamples
        self.latencySamples = latencySamples
        self.sampleRate = sampleRate
        self.streams = streams
        self.workers = workers
        self.workerPriority = workerPriority
        self.concealment = concealment
    }

    /// - Throws: `invalidArgument`, with the first value that is out of its range.
    func validate() throws(InferenceError) {
        let ranges: [(String, Int, ClosedRange<Int>)] = [
            ("frames per block", blockFrames, 1...16_384), ("samples per hop", hop ?? 1, 1...65_536),
            ("samples of the model's delay", modelDelaySamples, 0...65_536),
            ("samples of work", workSamples, 1...65_536),
            ("samples of latency", latencySamples ?? 0, 0...1 << 20), ("streams", streams, 1...64),
            ("workers", workers, 1...64),
            ("for the priority", workerPriority, 1...99), ("Hz", sampleRate ?? 48_000, Self.sampleRates),
        ]
        for (what, value, range) in ranges where !range.contains(value) {
            throw InferenceError(
                .invalidArgument, "\(value) \(what); take \(range.lowerBound) to \(range.upperBound).")
        }
    }

    static let sampleRates = 8000...384_000

    /// Where all streams need a run at once, the last has its own after so long.
    var roundSamples: Int { (streams + workers - 1) / workers * workSamples }
}

internal import Inference

/// What an effect's manifest says: how sound goes through a model, or through several one after the other.
///
/// A run takes the last `window` samples of every channel, of which `hop` are new, and gives `hop` samples more.
public struct EffectDescription: Sendable, Equatable {
    /// Hz; nil for a model that works at any rate.
    public var sampleRate: Int?
    /// 1…16, of what comes in and what goes out.
    public var channels: Int
    /// 1…65,536.
    public var hop: Int
    /// `hop` … 131,072.
    public var window: Int
    /// Whether a run gives its whole window, which is added to what the runs before gave; else its last hop alone.
    public var overlapsAndAdds: Bool
    /// How late the output is against the input by itself: 0…65,536 samples.
    public var delaySamples: Int
    /// What the models do, one after the other: `forward`, or `encode` and `decode`.
    public var methods: [Method]

    public init(
        sampleRate: Int?, channels: Int, hop: Int, window: Int? = nil, overlapsAndAdds: Bool = false,
        delaySamples: Int = 0, methods: [Method]
    ) {
        self.sampleRate = sampleRate
        self.channels = channels
        self.hop = hop
        self.window = window ?? hop
        self.overlapsAndAdds = overlapsAndAdds
        self.delaySamples = delaySamples
        self.methods = methods
    }

    /// One model's part: a tensor in, a tensor out, and states.
    public struct Method: Sendable, Equatable {
        /// Which tensors, and their shapes in a run of one hop of one sound.
        public var input, output: Tensor
        public var states: [StateDescription]

        public init(input: Tensor, output: Tensor, states: [StateDescription] = []) {
            self.input = input
            self.output = output
            self.states = states
        }
    }

    public struct Tensor: Sendable, Equatable {
        public var name: String
        /// With the batch axis, which is 1.
        public var shape: [Int]

        public init(name: String, shape: [Int]) {
            self.name = name
            self.shape = shape
        }

        var count: Int { shape.reduce(1, *) }
    }
}

extension EffectDescription {
    /// - Throws: `invalidArgument`.
    func validateRanges() throws(InferenceError) {
        let ranges: [(String, Int, ClosedRange<Int>)] = [
            ("channels", channels, 1...16), ("samples per hop", hop, 1...65_536),
            ("samples per window", window, hop...max(hop, 131_072)),
            ("samples of the model's delay", delaySamples, 0...65_536),
            ("Hz", sampleRate ?? 48_000, EffectConfiguration.sampleRates),
        ]
        for (what, value, range) in ranges where !range.contains(value) {
            throw InferenceError(
                .invalidArgument,
                "An effect of \(value) \(what) cannot be run; \(range.lowerBound) to \(range.upperBound) can."
            )
        }
    }
}

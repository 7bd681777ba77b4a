/// How a `NeuralSoundSynth` is set up.
public struct NeuralSynthConfiguration: Sendable {
    /// Notes that sound at once, 1…64. One more steals the voice that is missed least.
    public var voices: Int = 16
    /// The most frames that `process` is ever given.
    public var maximumBlockFrames: Int = 512
    /// Samples of event time that the worker renders at once; a multiple of the decoder's slot.
    public var sliceSamples: Int = 256
    /// The most voices in one run of the decoder, 1…64. Of more than 8 no voice takes less time, and threads have less to
    /// share.
    public var maximumBatch: Int = 8
    /// How many threads may render a slice together, 1…8: whoever renders it, and helpers. The sound does not depend on it.
    public var workers: Int = 1
    /// The instrument (an index into the instruments) that each of the 16 channels starts with; nil is silent.
    public var channelInstruments: [Int?] = Array(repeating: 0, count: 16)
    /// Channels whose instrument no program change may change.
    public var pinnedChannels: Set<Int> = []
    /// Linear gain of the sum.
    public var masterGain: Float = 1

    public init() {}
}

/// Why a synth could not be made.
public struct NeuralSynthError: Error, Sendable, CustomStringConvertible {
    public struct Code: Sendable, Equatable {
        let name: String
        /// A number of the configuration is out of its range.
        public static let configuration = Code(name: "configuration")
        /// Models that cannot play together: their sample rates or slots differ.
        public static let incompatibleModels = Code(name: "incompatibleModels")
        /// A prior without the column of an instrument, or an instrument that does not say which column is its own.
        public static let missingColumn = Code(name: "missingColumn")
        /// A prior with a column that nothing fills.
        public static let unknownColumn = Code(name: "unknownColumn")
        /// A host's sample rate to which the instruments' sound cannot be brought.
        public static let sampleRate = Code(name: "sampleRate")
        /// ONNX Runtime refused a model; see `underlying`.
        public static let inference = Code(name: "inference")
    }

    public let code: Code
    public let message: String
    public let underlying: (any Error)?
    public var description: String { message }

    package init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }
}

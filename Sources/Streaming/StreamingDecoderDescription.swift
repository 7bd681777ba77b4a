/// A streaming state of a model: an input that is fed from an output of the run before.
public struct StateDescription: Sendable, Equatable {
    /// The tensor's name as an input and as an output.
    public var input: String
    public var output: String
    /// The shape without the batch axis, which comes first.
    public var shape: [Int]

    public init(input: String, output: String, shape: [Int]) {
        self.input = input
        self.output = output
        self.shape = shape
    }

    /// Values per voice.
    public var count: Int { shape.reduce(1, *) }
}

/// What a streaming decoder's manifest says: `latent [B, latentSize, K]`, `pitch [B, 1, K]`,
/// `noise [B, noiseBands, noiseFramesPerSlot · K]` and states in; `audio [B, 1, slotSamples · K]` and states out.
public struct StreamingDecoderDescription: Sendable, Equatable {
    /// Hz.
    public var sampleRate: Int
    /// Samples of audio per slot.
    public var slotSamples: Int
    /// The most slots in one run.
    public var maximumSlots: Int
    /// How late the audio is: what a host drops from the start of a voice.
    public var delaySamples: Int
    public var latentSize: Int
    public var noiseBands: Int
    public var noiseFramesPerSlot: Int
    public var states: [StateDescription]

    public init(
        sampleRate: Int, slotSamples: Int, maximumSlots: Int, delaySamples: Int, latentSize: Int,
        noiseBands: Int,
        noiseFramesPerSlot: Int, states: [StateDescription]
    ) {
        self.sampleRate = sampleRate
        self.slotSamples = slotSamples
        self.maximumSlots = maximumSlots
        self.delaySamples = delaySamples
        self.latentSize = latentSize
        self.noiseBands = noiseBands
        self.noiseFramesPerSlot = noiseFramesPerSlot
        self.states = states
    }
}

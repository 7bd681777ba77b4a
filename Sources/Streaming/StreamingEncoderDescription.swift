/// What a streaming encoder's manifest says: `audio [B, 1, latentSamples · L]` and states in;
/// `latent [B, latentSize, L]` and states out.
public struct StreamingEncoderDescription: Sendable, Equatable {
    /// Hz.
    public var sampleRate: Int
    /// Samples of audio per latent.
    public var latentSamples: Int
    public var latentSize: Int
    public var states: [StateDescription]
    /// Channels of the latent that belong to the whole note, such as how its partials are tuned: they cannot be heard
    /// in one frame, the encoder leaves them 0, and who decodes takes them from the prior.
    public var noteChannels: [Int]

    public init(
        sampleRate: Int, latentSamples: Int, latentSize: Int, states: [StateDescription],
        noteChannels: [Int] = []
    ) {
        self.sampleRate = sampleRate
        self.latentSamples = latentSamples
        self.latentSize = latentSize
        self.states = states
        self.noteChannels = noteChannels
    }
}

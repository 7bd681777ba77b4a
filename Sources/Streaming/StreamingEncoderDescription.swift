/// What a streaming encoder's manifest says: `audio [B, 1, latentSamples · L]` and states in;
/// `latent [B, latentSize, L]` and states out.
public struct StreamingEncoderDescription: Sendable, Equatable {
    /// Hz.
    public var sampleRate: Int
    /// Samples of audio per latent.
    public var latentSamples: Int
    public var latentSize: Int
    public var states: [StateDescription]

    public init(sampleRate: Int, latentSamples: Int, latentSize: Int, states: [StateDescription]) {
        self.sampleRate = sampleRate
        self.latentSamples = latentSamples
        self.latentSize = latentSize
        self.states = states
    }
}

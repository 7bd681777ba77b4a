public import Inference
public import Streaming

/// A streaming decoder. Instruments with the same `NeuralDecoder` are batched together, whatever their priors.
public final class NeuralDecoder: Sendable {
    public let session: Session
    public let description: StreamingDecoderDescription

    public init(session: Session, description: StreamingDecoderDescription) {
        self.session = session
        self.description = description
    }
}

/// A prior: what tells a decoder how to play one or more instruments.
public final class NeuralPrior: Sendable {
    public let session: Session
    public let description: PriorDescription

    public init(session: Session, description: PriorDescription) {
        self.session = session
        self.description = description
    }
}

/// An instrument that `NeuralSoundSynth` can play.
public struct NeuralInstrument: Sendable {
    public var name: String
    public var decoder: NeuralDecoder
    public var prior: NeuralPrior
    /// The prior's column `instrument.<priorInstrument>`; nil for a prior that plays one instrument and has none.
    public var priorInstrument: String?
    /// The keys that the model was trained on, 0…127. Others sound at their own pitch with the nearest timbre.
    public var keys: ClosedRange<Int>
    /// Amplitude of a note at velocity 127 relative to the model's output.
    public var gain: Float
    /// Amplitude is proportional to (velocity / 127) to this power.
    public var velocityExponent: Float
    /// A released note is silent after this long, in seconds.
    public var releaseSeconds: Float
    /// The General MIDI programs, 0…127, that select the instrument.
    public var programs: [Int]
    /// How much a sustained note moves, 0…2: 1 as recorded, 0 not at all. For priors with the column `temperature`.
    public var temperature: Float

    public init(
        name: String, decoder: NeuralDecoder, prior: NeuralPrior, priorInstrument: String?,
        keys: ClosedRange<Int>, gain: Float, velocityExponent: Float, releaseSeconds: Float, programs: [Int],
        temperature: Float = 1
    ) {
        self.name = name
        self.decoder = decoder
        self.prior = prior
        self.priorInstrument = priorInstrument
        self.keys = keys
        self.gain = gain
        self.velocityExponent = velocityExponent
        self.releaseSeconds = releaseSeconds
        self.programs = programs
        self.temperature = temperature
    }
}

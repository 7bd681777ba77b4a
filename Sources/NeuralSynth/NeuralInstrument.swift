public import Inference
public import Streaming

/// A decoder and the prior that plays it: what one or more instruments share.
public final class NeuralModel: Sendable {
    public let decoder: Session
    public let decoderDescription: StreamingDecoderDescription
    public let prior: Session
    public let priorDescription: PriorDescription

    public init(
        decoder: Session, decoderDescription: StreamingDecoderDescription, prior: Session,
        priorDescription: PriorDescription
    ) {
        self.decoder = decoder
        self.decoderDescription = decoderDescription
        self.prior = prior
        self.priorDescription = priorDescription
    }
}

/// An instrument that `NeuralSoundSynth` can play. Instruments with the same `NeuralModel` are batched together.
public struct NeuralInstrument: Sendable {
    public var name: String
    public var model: NeuralModel
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
        name: String, model: NeuralModel, priorInstrument: String?, keys: ClosedRange<Int>, gain: Float,
        velocityExponent: Float, releaseSeconds: Float, programs: [Int], temperature: Float = 1
    ) {
        self.name = name
        self.model = model
        self.priorInstrument = priorInstrument
        self.keys = keys
        self.gain = gain
        self.velocityExponent = velocityExponent
        self.releaseSeconds = releaseSeconds
        self.programs = programs
        self.temperature = temperature
    }
}

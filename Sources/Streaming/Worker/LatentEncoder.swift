public import Inference

/// Runs one streaming encoder for many recordings at once, one latent of each a run.
///
/// Every voice owns its streaming states, as in `VoiceBatcher`; `run` allocates nothing.
///
/// Room: worker, one thread at a time; `init` control.
@safe public final class LatentEncoder {
    public let description: StreamingEncoderDescription
    public let maximumVoices: Int
    /// The most voices in one run.
    public let maximumBatch: Int

    private let audios, latents: TensorBuffer
    private let states: VoiceStates
    private var runs: BoundRunTable

    /// - Throws: `InferenceError` when the model does not have the tensors that the description promises.
    public init(
        session: Session, description: StreamingEncoderDescription, maximumVoices: Int, maximumBatch: Int
    ) throws(InferenceError) {
        self.description = description
        self.maximumVoices = maximumVoices
        self.maximumBatch = maximumBatch
        audios = TensorBuffer(count: maximumBatch * description.latentSamples)
        latents = TensorBuffer(count: maximumBatch * description.latentSize)
        states = VoiceStates(
            description.states, maximumVoices: maximumVoices, maximumBatch: maximumBatch)
        runs = BoundRunTable(count: maximumBatch)
        for batch in 1...maximumBatch {
            let audio = BoundRun.Binding(
                name: "audio", shape: [batch, 1, description.latentSamples], buffer: audios)
            let latent = BoundRun.Binding(
                name: "latent", shape: [batch, description.latentSize, 1], buffer: latents)
            try runs.set(
                batch - 1,
                BoundRun(
                    session, inputs: [audio] + states.inputBindings(batch: batch),
                    outputs: [latent] + states.outputBindings(batch: batch)))
        }
    }

    /// Makes `voice` fresh: every state zero.
    public func reset(voice: Int) { states.reset(voice: voice) }

    /// `latentSamples` samples of lane `lane`, to be filled before `run`.
    public func audio(lane: Int) -> UnsafeMutablePointer<Float> {
        unsafe audios.base + lane * description.latentSamples
    }

    /// `latentSize` values of lane `lane`, after `run`.
    public func latent(lane: Int) -> UnsafePointer<Float> {
        unsafe UnsafePointer(latents.base + lane * description.latentSize)
    }

    /// Encodes the next `latentSamples` samples of each voice in `voices`, lane by lane.
    ///
    /// - Parameter voices: at most `maximumBatch` different voice numbers below `maximumVoices`.
    public func run(voices: Span<Int>) throws(InferenceError) {
        states.gather(voices)
        try runs.run(voices.count - 1)
        states.scatter(voices)
    }
}

public import Inference
public import Signal

/// Runs one streaming decoder for many voices at once.
///
/// Every voice owns its streaming states. A run takes any subset of the voices: their states are gathered into one
/// batch, the decoder runs, and the states are scattered back. A voice that joins or leaves does not touch the
/// others. Each batch size and slot count is bound once, when the batcher is made, so that `run` allocates nothing.
///
/// Several threads may run voices at the same time, each with a batcher of its own that shares the first one's voices, and
/// none a voice that another has.
///
/// Room: worker, one thread at a time; `init` control.
@safe public final class VoiceBatcher {
    public let description: StreamingDecoderDescription
    public let maximumVoices: Int
    /// The most voices in one run.
    public let maximumBatch: Int
    /// The most slots in one run.
    public let maximumSlots: Int

    private let latents, pitches, noises, audios: TensorBuffer
    private let states: VoiceStates
    private var runs: BoundRunTable

    /// - Throws: `InferenceError` when the model does not have the tensors that the description promises.
    public convenience init(
        session: Session, description: StreamingDecoderDescription, maximumVoices: Int, maximumBatch: Int,
        maximumSlots: Int
    ) throws(InferenceError) {
        try self.init(
            session, description, maximumVoices: maximumVoices, maximumBatch: maximumBatch,
            maximumSlots: min(maximumSlots, description.maximumSlots),
            states: VoiceStates(
                description.states, maximumVoices: maximumVoices, maximumBatch: maximumBatch))
    }

    /// For another thread, which runs other voices of the same ones at the same time.
    ///
    /// - Throws: `InferenceError`.
    public convenience init(session: Session, sharing other: VoiceBatcher) throws(InferenceError) {
        try self.init(
            session, other.description, maximumVoices: other.maximumVoices, maximumBatch: other.maximumBatch,
            maximumSlots: other.maximumSlots,
            states: VoiceStates(sharing: other.states, maximumBatch: other.maximumBatch))
    }

    private init(
        _ session: Session, _ description: StreamingDecoderDescription, maximumVoices: Int, maximumBatch: Int,
        maximumSlots slots: Int, states: VoiceStates
    ) throws(InferenceError) {
        self.description = description
        self.maximumVoices = maximumVoices
        self.maximumBatch = maximumBatch
        maximumSlots = slots
        self.states = states
        latents = TensorBuffer(count: maximumBatch * description.latentSize * slots)
        pitches = TensorBuffer(count: maximumBatch * slots)
        noises = TensorBuffer(
            count: maximumBatch * description.noiseBands * description.noiseFramesPerSlot * slots)
        audios = TensorBuffer(count: maximumBatch * description.slotSamples * slots)
        runs = BoundRunTable(count: maximumBatch * slots)
        for batch in 1...maximumBatch {
            for count in 1...slots {
                try runs.set(
                    (batch - 1) * slots + count - 1, bind(session, batch: batch, slots: count))
            }
        }
    }

    private func bind(_ session: Session, batch: Int, slots: Int) throws(InferenceError) -> BoundRun {
        let inputs: [BoundRun.Binding] = [
            .init(name: "latent", shape: [batch, description.latentSize, slots], buffer: latents),
            .init(name: "pitch", shape: [batch, 1, slots], buffer: pitches),
            .init(
                name: "noise",
                shape: [batch, description.noiseBands, description.noiseFramesPerSlot * slots],
                buffer: noises),
        ]
        let audio = BoundRun.Binding(
            name: "audio", shape: [batch, 1, description.slotSamples * slots], buffer: audios)
        return try BoundRun(
            session, inputs: inputs + states.inputBindings(batch: batch),
            outputs: [audio] + states.outputBindings(batch: batch))
    }

    /// Makes `voice` fresh: every state zero.
    public func reset(voice: Int) { states.reset(voice: voice) }

    /// `latentSize` × `slots` values of lane `lane` in a run of `slots` slots, slot fastest.
    public func latent(lane: Int, slots: Int) -> UnsafeMutablePointer<Float> {
        unsafe latents.base + lane * description.latentSize * slots
    }

    /// `slots` values of lane `lane`: Hz at each slot's end.
    public func pitch(lane: Int, slots: Int) -> UnsafeMutablePointer<Float> {
        unsafe pitches.base + lane * slots
    }

    /// `noiseBands` × (`noiseFramesPerSlot` · `slots`) values of lane `lane`, frame fastest.
    public func noise(lane: Int, slots: Int) -> UnsafeMutablePointer<Float> {
        unsafe noises.base + lane * description.noiseBands * description.noiseFramesPerSlot * slots
    }

    /// Fills the noise of lane `lane` in a run of `slots` slots, the first of which is the voice's slot `first`. A
    /// slot's noise does not depend on how the slots are cut into runs.
    public func fill(noise: CounterNoise, lane: Int, slots: Int, from first: Int) {
        let values = unsafe self.noise(lane: lane, slots: slots)
        let (bands, frames) = (description.noiseBands, description.noiseFramesPerSlot)
        for k in 0..<slots {
            var position = UInt64((first + k) * bands * frames)
            for band in 0..<bands {
                for frame in 0..<frames {
                    unsafe values[band * frames * slots + k * frames + frame] = noise.value(at: position)
                    position += 1
                }
            }
        }
    }

    /// `slotSamples` × `slots` samples of lane `lane`, after `run`.
    public func audio(lane: Int, slots: Int) -> UnsafePointer<Float> {
        unsafe UnsafePointer(audios.base + lane * description.slotSamples * slots)
    }

    /// Decodes `slots` slots of each voice in `voices`, lane by lane; the inputs must have been filled.
    ///
    /// - Parameters:
    ///   - voices: at most `maximumBatch` different voice numbers below `maximumVoices`.
    ///   - slots: 1…`maximumSlots`.
    public func run(voices: Span<Int>, slots: Int) throws(InferenceError) {
        states.gather(voices)
        try runs.run((voices.count - 1) * maximumSlots + slots - 1)
        states.scatter(voices)
    }
}

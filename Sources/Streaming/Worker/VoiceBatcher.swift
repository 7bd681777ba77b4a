public import Inference

/// Runs one streaming decoder for many voices at once.
///
/// Every voice owns its streaming states. A run takes any subset of the voices: their states are gathered into one
/// batch, the decoder runs, and the states are scattered back. A voice that joins or leaves does not touch the
/// others. Each batch size and slot count is bound once, when the batcher is made, so that `run` allocates nothing.
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
    /// Per state: values per voice, the batch going in, the batch coming out, and every voice's own.
    private let stateCounts: [Int]
    private let stateInputs, stateOutputs, voiceStates: [TensorBuffer]
    private var runs: BoundRunTable

    /// - Throws: `InferenceError` when the model does not have the tensors that the description promises.
    public init(
        session: Session, description: StreamingDecoderDescription, maximumVoices: Int, maximumBatch: Int,
        maximumSlots: Int
    ) throws(InferenceError) {
        self.description = description
        self.maximumVoices = maximumVoices
        self.maximumBatch = maximumBatch
        self.maximumSlots = min(maximumSlots, description.maximumSlots)
        let slots = self.maximumSlots
        latents = TensorBuffer(count: maximumBatch * description.latentSize * slots)
        pitches = TensorBuffer(count: maximumBatch * slots)
        noises = TensorBuffer(
            count: maximumBatch * description.noiseBands * description.noiseFramesPerSlot * slots)
        audios = TensorBuffer(count: maximumBatch * description.slotSamples * slots)
        stateCounts = description.states.map(\.count)
        stateInputs = description.states.map { TensorBuffer(count: maximumBatch * $0.count) }
        stateOutputs = description.states.map { TensorBuffer(count: maximumBatch * $0.count) }
        voiceStates = description.states.map { TensorBuffer(count: maximumVoices * $0.count) }
        runs = BoundRunTable(count: maximumBatch * slots)
        for batch in 1...maximumBatch {
            for count in 1...slots {
                try runs.set(
                    (batch - 1) * slots + count - 1, bind(session, batch: batch, slots: count))
            }
        }
    }

    private func bind(_ session: Session, batch: Int, slots: Int) throws(InferenceError) -> BoundRun {
        var inputs: [BoundRun.Binding] = [
            .init(name: "latent", shape: [batch, description.latentSize, slots], buffer: latents),
            .init(name: "pitch", shape: [batch, 1, slots], buffer: pitches),
            .init(
                name: "noise",
                shape: [batch, description.noiseBands, description.noiseFramesPerSlot * slots],
                buffer: noises),
        ]
        var outputs: [BoundRun.Binding] = [
            .init(name: "audio", shape: [batch, 1, description.slotSamples * slots], buffer: audios)
        ]
        for (index, state) in description.states.enumerated() {
            inputs.append(.init(name: state.input, shape: [batch] + state.shape, buffer: stateInputs[index]))
            outputs.append(
                .init(name: state.output, shape: [batch] + state.shape, buffer: stateOutputs[index]))
        }
        return try BoundRun(session, inputs: inputs, outputs: outputs)
    }

    /// Makes `voice` fresh: every state zero.
    public func reset(voice: Int) {
        for (index, count) in stateCounts.enumerated() {
            unsafe (voiceStates[index].base + voice * count).update(repeating: 0, count: count)
        }
    }

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
        let batch = voices.count
        for index in stateCounts.indices {
            let count = stateCounts[index]
            for lane in 0..<batch {
                unsafe (stateInputs[index].base + lane * count)
                    .update(from: voiceStates[index].base + voices[lane] * count, count: count)
            }
        }
        try runs.run((batch - 1) * maximumSlots + slots - 1)
        for index in stateCounts.indices {
            let count = stateCounts[index]
            for lane in 0..<batch {
                unsafe (voiceStates[index].base + voices[lane] * count)
                    .update(from: stateOutputs[index].base + lane * count, count: count)
            }
        }
    }
}

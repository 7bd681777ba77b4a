internal import Inference

/// The streaming states of a model's voices: gathered into a batch before a run, and scattered back after it.
struct VoiceStates {
    private let descriptions: [StateDescription]
    /// Per state: values per voice, the batch going in, the batch coming out, and every voice's own.
    private let counts: [Int]
    private let inputs, outputs, voices: [TensorBuffer]

    init(_ descriptions: [StateDescription], maximumVoices: Int, maximumBatch: Int) {
        self.descriptions = descriptions
        counts = descriptions.map(\.count)
        inputs = descriptions.map { TensorBuffer(count: maximumBatch * $0.count) }
        outputs = descriptions.map { TensorBuffer(count: maximumBatch * $0.count) }
        voices = descriptions.map { TensorBuffer(count: maximumVoices * $0.count) }
    }

    /// For another thread of the same voices: tensors of its own.
    init(sharing other: VoiceStates, maximumBatch: Int) {
        descriptions = other.descriptions
        counts = other.counts
        inputs = counts.map { TensorBuffer(count: maximumBatch * $0) }
        outputs = counts.map { TensorBuffer(count: maximumBatch * $0) }
        voices = other.voices
    }

    func inputBindings(batch: Int) -> [BoundRun.Binding] {
        descriptions.enumerated().map { index, state in
            .init(name: state.input, shape: [batch] + state.shape, buffer: inputs[index])
        }
    }

    func outputBindings(batch: Int) -> [BoundRun.Binding] {
        descriptions.enumerated().map { index, state in
            .init(name: state.output, shape: [batch] + state.shape, buffer: outputs[index])
        }
    }

    /// Makes `voice` fresh: every state zero.
    func reset(voice: Int) {
        for (index, count) in counts.enumerated() {
            unsafe (voices[index].base + voice * count).update(repeating: 0, count: count)
        }
    }

    /// Copies the states of `numbers` into the batch, lane by lane.
    func gather(_ numbers: Span<Int>) {
        for lane in 0..<numbers.count { gather(numbers[lane], lane: lane) }
    }

    /// Copies what came out of the batch back to `numbers`.
    func scatter(_ numbers: Span<Int>) {
        for lane in 0..<numbers.count { scatter(numbers[lane], lane: lane) }
    }

    func gather(_ voice: Int, lane: Int) {
        for index in counts.indices {
            let count = counts[index]
            unsafe (inputs[index].base + lane * count)
                .update(from: voices[index].base + voice * count, count: count)
        }
    }

    func scatter(_ voice: Int, lane: Int) {
        for index in counts.indices {
            let count = counts[index]
            unsafe (voices[index].base + voice * count)
                .update(from: outputs[index].base + lane * count, count: count)
        }
    }
}

internal import CRealtime
internal import Inference

/// A worker's tensors of an effect, bound once: its models are run one after the other, each on what the one before gave.
///
/// Room: worker, one thread; `init` control.
@safe final class EffectRun {
    /// `channels` × `window` samples, to be filled before a run.
    let input: TensorBuffer
    /// After a run `channels` rows, of which the first `hop` samples are the hop's.
    let output: TensorBuffer
    /// Samples of a row of the output.
    let outputRow: Int

    private let memory: EffectMemory
    /// This worker's own tensors for the states of each method.
    private let states: [VoiceStates]
    private var runs: BoundRunTable

    /// - Throws: what `BoundRun` throws.
    init(_ model: EffectModel, memory: EffectMemory) throws(InferenceError) {
        self.memory = memory
        let methods = model.description.methods
        let buffers =
            [TensorBuffer(count: methods[0].input.count)]
            + methods.map { TensorBuffer(count: $0.output.count) }
        input = buffers[0]
        output = buffers[methods.count]
        outputRow = output.count / model.description.channels
        states = memory.states.map { VoiceStates(sharing: $0, maximumBatch: 1) }
        runs = BoundRunTable(count: methods.count)
        for (index, method) in methods.enumerated() {
            let (taken, given) = (method.input, method.output)
            try runs.set(
                index,
                BoundRun(
                    model.sessions[index],
                    inputs: [.init(name: taken.name, shape: taken.shape, buffer: buffers[index])]
                        + states[index].inputBindings(batch: 1),
                    outputs: [.init(name: given.name, shape: given.shape, buffer: buffers[index + 1])]
                        + states[index].outputBindings(batch: 1)))
        }
    }

    /// The first run of a model is slow, and a wrong shape shows in it; no stream's states change.
    func warmUp() throws(InferenceError) {
        for index in states.indices { try runs.run(index) }
    }

    /// Computes hop `number` of a stream that began at `base`.
    ///
    /// The states go on from the hop that was computed before, also where hops were left out in between. Returns false, and
    /// forgets them, where the models have computed what is no number: it would never leave them.
    /// - Throws: `runFailed`.
    func run(stream: Int, hop number: Int, base: Int) throws(InferenceError) -> Bool {
        memory.begin(stream: stream, hop: number, base: base)
        for index in states.indices {
            states[index].gather(stream, lane: 0)
            try runs.run(index)
            states[index].scatter(stream, lane: 0)
        }
        for i in 0..<output.count where unsafe !output.base[i].isFinite {
            memory.forget(stream: stream)
            return false
        }
        unsafe memory.add(output.base, stream: stream, hop: number)
        return true
    }

    /// Room: control.
    func measureLatency(warmUpRuns: Int, runs count: Int) throws(InferenceError) -> LatencyStatistics {
        var milliseconds: [Double] = []
        for number in 0..<warmUpRuns + count {
            for i in 0..<input.count { unsafe input.base[i] = i % 2 == 0 ? 0.1 : -0.1 }
            let before = rt_nanoseconds()
            _ = try run(stream: 0, hop: number, base: 0)
            milliseconds.append(Double(rt_nanoseconds() - before) / 1e6)
        }
        return LatencyStatistics(milliseconds: Array(milliseconds.dropFirst(warmUpRuns)))
    }
}

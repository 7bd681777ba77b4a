extension Session {
    /// Whether an optimised graph describes itself as this session does and gives the same results, bit for bit, on noise with
    /// every dynamic axis 1, and 16, as far as the model takes that.
    ///
    /// Where the graph has large matrices it gets a `MappedGraph`, if that does the same with 1 and is as quick.
    func isEqual(to staged: StagedGraph, _ source: ModelSource, _ options: SessionOptions) -> Bool {
        let isMapped = MappedGraph.write(in: staged.folder)
        guard let other = session(staged.graph, source, options), isEqual(to: other, sizes: [1, 16]) else {
            return false
        }
        let mapped = isMapped ? session(staged.mapped, source, options) : nil
        if !(mapped.map { isEqual(to: $0, sizes: [1]) && isAsQuick($0) } ?? false) {
            removeFile(staged.mapped)
        }
        return true
    }

    private func session(_ graph: String, _ source: ModelSource, _ options: SessionOptions) -> Session? {
        guard let handle = unsafe try? LoadedGraph.optimized(runtime, graph, options),
            let graph = unsafe try? LoadedGraph(runtime, handle, name: source.name)
        else { return nil }
        return Session(graph, source)
    }

    func isEqual(to other: Session, sizes: [Int]) -> Bool {
        guard other.inputs == inputs, other.outputs == outputs, other.metadata == metadata else {
            return false
        }
        var compared = 0
        for size in sizes {
            guard let noise = inputTensors(.positiveNoise, sizeOf: { _ in size }),
                let wanted = try? run(noise)
            else { continue }
            guard let results = try? other.run(noise), results == wanted else { return false }
            compared += 1
        }
        return compared > 0
    }

    /// Whether the other's fastest of a few runs in turns, every dynamic axis 1, takes at most a fiftieth longer.
    private func isAsQuick(_ other: Session) -> Bool {
        guard let trials = try? [LatencyTrial(self), LatencyTrial(other)] else { return false }
        var fastest = [Double.infinity, .infinity]
        for _ in 0..<12 {
            for (index, trial) in trials.enumerated() {
                guard let milliseconds = try? trial.run() else { return false }
                fastest[index] = min(fastest[index], milliseconds)
            }
        }
        return fastest[1] <= fastest[0] * 1.02
    }
}

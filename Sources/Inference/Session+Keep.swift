extension Session {
    /// Whether an optimised graph describes itself as this session does and gives the same results, bit for bit, on noise with
    /// every dynamic axis 1, and 16, as far as the model takes that.
    func isEqual(to staged: StagedGraph, _ source: ModelSource, _ options: SessionOptions) -> Bool {
        guard let graph = try? LoadedGraph.optimized(runtime, staged.graph, source, options) else {
            return false
        }
        let other = Session(graph, source)
        guard other.inputs == inputs, other.outputs == outputs, other.metadata == metadata else {
            return false
        }
        var compared = 0
        for size in [1, 16] {
            guard let noise = inputTensors(.positiveNoise, sizeOf: { _ in size }),
                let wanted = try? run(noise)
            else { continue }
            guard let results = try? other.run(noise), results == wanted else { return false }
            compared += 1
        }
        return compared > 0
    }
}

extension Session {
    /// What has been found out about an entry of a cache.
    enum Proof {
        /// It is something else than the model.
        case wrong
        /// It is the model; with the `MappedGraph` that is to run one row, where it has one.
        case right(oneRow: LoadedGraph?)
    }

    /// Compares an optimised graph with this session: it has to describe itself the same and to give the same results, bit for
    /// bit, on noise with every dynamic axis 1, and 16, as far as the model takes that and is quick at it.
    ///
    /// Where the graph has large matrices it gets a `MappedGraph`, if that is as quick with 1 and as exact: a row's product may
    /// be summed up in another order than that of many rows.
    func prove(
        _ staged: StagedGraph, _ runtime: OnnxRuntime, _ source: ModelSource, _ options: SessionOptions
    ) -> Proof {
        let isMapped = MappedGraph.write(in: staged.folder)
        guard let other = session(staged.graph, runtime, source, options), isEqual(to: other, sizes: [1, 16])
        else {
            return .wrong
        }
        if isMapped, let mapped = session(staged.mapped, runtime, source, options),
            isEqual(to: mapped, sizes: [1], leastDecibels: MappedGraph.leastDecibels), isAsQuick(mapped),
            case .onnxRuntime(let graph) = mapped.engine
        {
            return .right(oneRow: graph)
        }
        removeFile(staged.mapped)
        return .right(oneRow: nil)
    }

    private func session(
        _ graph: String, _ runtime: OnnxRuntime, _ source: ModelSource, _ options: SessionOptions
    ) -> Session? {
        guard let handle = unsafe try? LoadedGraph.optimized(runtime, graph, options),
            let graph = unsafe try? LoadedGraph(runtime, handle, name: source.name)
        else { return nil }
        return Session(graph, source)
    }

    /// - Parameter leastDecibels: how near numbers have to be; nil for all bits.
    func isEqual(to other: Session, sizes: [Int], leastDecibels: Double? = nil) -> Bool {
        guard other.inputs == inputs, other.outputs == outputs, other.metadata == metadata else {
            return false
        }
        var compared = 0
        let start = monotonicNanoseconds()
        for size in sizes where compared == 0 || isQuick(size, since: start) {
            guard let noise = inputTensors(.positiveNoise, sizeOf: { _ in size }),
                let wanted = try? run(noise)
            else { continue }
            guard let results = try? other.run(noise), results.keys == wanted.keys else { return false }
            for (name, tensor) in wanted where results[name] != tensor {
                guard let leastDecibels, let near = results[name]?.floats, let exact = tensor.floats,
                    Accuracy.decibels([near], reference: [exact]) >= leastDecibels
                else { return false }
            }
            compared += 1
        }
        return compared > 0
    }

    /// A first load must not take minutes, or all memory, for what is only compared.
    private func isQuick(_ size: Int, since start: UInt64) -> Bool {
        guard monotonicNanoseconds() - start < Self.patience else { return false }
        var elements = 0
        for info in inputs + outputs {
            guard let count = try? Tensor.elementCount(info.shape.map { self.size(of: $0) { _ in size } }),
                count <= Self.mostElements
            else { return false }
            elements += count
        }
        return elements <= Self.mostElements
    }

    /// Nanoseconds.
    private static let patience: UInt64 = 200_000_000
    private static let mostElements = 1 << 22

    /// Whether the other's fastest of a few runs in turns, every dynamic axis 1, takes at most a fiftieth longer.
    private func isAsQuick(_ other: Session) -> Bool {
        guard let trials = try? [LatencyTrial(self), LatencyTrial(other)] else { return false }
        var fastest = [Double.infinity, .infinity]
        for _ in 0..<12 {
            guard fastest[0] == .infinity || fastest[0] < Double(Self.patience) / 1e6 else { return false }
            for (index, trial) in trials.enumerated() {
                guard let milliseconds = try? trial.run() else { return false }
                fastest[index] = min(fastest[index], milliseconds)
            }
        }
        return fastest[1] <= fastest[0] * 1.02
    }
}

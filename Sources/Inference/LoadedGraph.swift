import COnnxRuntime

/// ONNX Runtime's session of a model, which all sessions of that content with the same options have in common: the graph, its
/// weights and what they have become in the kernels' layout. It goes with the last of them.
///
/// Room: control.
@safe final class LoadedGraph: @unchecked Sendable {
    // Sendable: ONNX Runtime's sessions may be run by several threads, and what changes is behind locks.
    let runtime: OnnxRuntime
    /// For runs of one row; where `rows` is nil for all.
    let handle: OpaquePointer
    /// What other runs have where `handle` is a `MappedGraph`, once one is prepared.
    private let rows: Monitor<Rows>?
    /// What runs of one row have where that has just been put into the cache, so that they are what they will be from there.
    private let oneRow = Monitor<LoadedGraph?>(nil)
    let description: SessionDescription
    /// Whether it was read from the cache.
    let isFromCache: Bool
    /// Why it was not, and will not be the next time; nil where it is, or is not meant to be. A sentence.
    let cacheNote: String?
    private let progress: Monitor<Progress>

    private struct Progress {
        /// Whether it has been seen to give finite results.
        var isProbed: Bool
        /// Its entry in the cache, until that has been proved right.
        var staged: StagedGraph?
        var entry: GraphEntry?
    }

    @safe private struct Rows {
        let load: () -> OpaquePointer?
        /// Nil before it is loaded; `.some(nil)` where it is gone from the cache.
        var handle: OpaquePointer??
    }

    /// Takes over `handle`.
    ///
    /// - Parameter loadRows: makes the handle for runs with several rows where `handle` is a `MappedGraph`.
    init(
        _ runtime: OnnxRuntime, _ handle: OpaquePointer, name: String, cacheNote: String? = nil,
        staged: StagedGraph? = nil, entry: GraphEntry? = nil, isProbed: Bool = false,
        loadRows: (() -> OpaquePointer?)? = nil
    ) throws(InferenceError) {
        self.runtime = runtime
        unsafe self.handle = unsafe handle
        rows = unsafe loadRows.map { unsafe Monitor(Rows(load: $0, handle: nil)) }
        self.cacheNote = cacheNote
        isFromCache = entry != nil
        progress = Monitor(Progress(isProbed: isProbed, staged: staged, entry: entry))
        do throws(InferenceError) {
            description = try unsafe SessionDescription(runtime, handle, name: name)
        } catch {
            unsafe runtime.table.pointee.ReleaseSession(handle)
            throw error
        }
    }

    deinit {
        unsafe runtime.table.pointee.ReleaseSession(handle)
        rows?.withLock { rows in
            if let handle = unsafe rows.handle, let handle = unsafe handle {
                unsafe runtime.table.pointee.ReleaseSession(handle)
            }
        }
    }

    /// What runs the model with these shapes, by the inputs' names. The first with a dynamic axis over 1 may be loaded here.
    func handle(for shapes: [String: [Int]]) -> OpaquePointer {
        let isOneRow = description.inputs.allSatisfy { info in
            zip(info.shape, shapes[info.name] ?? []).allSatisfy { !$0.isDynamic || $1 <= 1 }
        }
        if isOneRow { return unsafe oneRow.withLock { unsafe $0?.handle } ?? handle }
        guard let rows else { return unsafe handle }
        return unsafe rows.withLock { rows in
            if let handle = unsafe rows.handle { return unsafe handle ?? self.handle }
            let loaded = unsafe rows.load()
            unsafe rows.handle = unsafe .some(loaded)
            return unsafe loaded ?? handle
        }
    }

    /// Probes the model by `probe` unless that has been done.
    func probeOnce(_ probe: () throws(InferenceError) -> Void) throws(InferenceError) {
        try progress.withLock { progress throws(InferenceError) in
            if progress.isProbed { return }
            try probe()
            progress.isProbed = true
            progress.entry?.setProbed()
        }
    }

    /// Puts what has been optimised into the cache if `prove` finds it right.
    func keep(_ prove: (StagedGraph) -> Session.Proof) {
        progress.withLock { progress in
            guard let staged = progress.staged else { return }
            progress.staged = nil
            guard case .right(let oneRow) = prove(staged),
                staged.entry.commit(staged.folder, isProbed: progress.isProbed)
            else { return }
            self.oneRow.withLock { $0 = oneRow }
            GraphFolder(OnnxRuntime.folder(of: staged.entry.path)).evict(limitBytes: GraphCache.limitBytes)
        }
    }
}

/// The graphs that a library has loaded and that are in use.
///
/// Room: control.
final class LoadedGraphs: Sendable {
    /// What sessions that share a graph have in common.
    struct Key: Hashable {
        let sha256: String
        let graphOptimization: SessionOptions.GraphOptimization
        let ownOperators: Bool
        let cache: GraphCache
    }

    private enum Slot {
        /// By another thread.
        case loading
        case loaded(Weak)
    }

    private struct Weak { weak var graph: LoadedGraph? }

    private let slots = Monitor<[Key: Slot]>([:])

    /// The graph that is in use, else what `load` makes. Of several threads one loads and the others wait for it.
    func graph(
        _ key: Key, load: () throws(InferenceError) -> LoadedGraph
    ) throws(InferenceError) -> (graph: LoadedGraph, isShared: Bool) {
        let found: LoadedGraph? = slots.wait { slots -> LoadedGraph?? in
            switch slots[key] {
            case .loading: return nil
            case .loaded(let weak):
                if let graph = weak.graph { return .some(graph) }
            case nil: break
            }
            slots[key] = .loading
            return .some(nil)
        }
        if let found { return (found, true) }
        let graph: LoadedGraph
        do throws(InferenceError) {
            graph = try load()
        } catch {
            slots.notify { $0[key] = nil }
            throw error
        }
        slots.notify { slots in
            slots = slots.filter { _, slot in
                if case .loaded(let weak) = slot { weak.graph != nil } else { true }
            }
            slots[key] = .loaded(Weak(graph: graph))
        }
        return (graph, false)
    }
}

import COnnxRuntime

extension LoadedGraph {
    /// The model's graph: one that is in use where it may be shared, else from the cache, else from the model.
    ///
    /// - Throws: as `Session.init`.
    static func load(
        _ runtime: OnnxRuntime, _ source: ModelSource, _ options: SessionOptions,
        _ acceleration: AccelerationType
    ) throws(InferenceError) -> (graph: LoadedGraph, isShared: Bool) {
        let cache = options.cache
        let stamp = source.stamp
        // Threads of a run that several sessions had in common would be missed by each of them.
        let isShared = options.sharesWeights && options.intraOpThreads == 1 && options.interOpThreads == 1
        let isKept = cache.folder != nil && source.sizeBytes >= GraphCache.leastModelBytes
        guard acceleration == .cpu, isShared || isKept, let content = source.content(cache.folder),
            content.isWhole
        else {
            return (try plain(runtime, source, options, acceleration), false)
        }
        let load = { () throws(InferenceError) -> LoadedGraph in
            let graph =
                isKept
                ? try cached(runtime, source, content, options) : try plain(runtime, source, options, .cpu)
            // What was loaded has to be what is known by that content.
            guard source.stamp == stamp else {
                throw InferenceError(
                    .modelUnreadable, "\(source.name) changed while it was being loaded. Load it again.")
            }
            return graph
        }
        guard isShared else { return (try load(), false) }
        let key = LoadedGraphs.Key(
            sha256: content.sha256, graphOptimization: options.graphOptimization,
            ownOperators: options.ownOperators, cache: cache)
        return try runtime.graphs.graph(key, load: load)
    }

    private static func plain(
        _ runtime: OnnxRuntime, _ source: ModelSource, _ options: SessionOptions,
        _ acceleration: AccelerationType, cacheNote: String? = nil
    ) throws(InferenceError) -> LoadedGraph {
        let handle = try unsafe Session.create(runtime, source, options, acceleration)
        return try unsafe LoadedGraph(runtime, handle, name: source.name, cacheNote: cacheNote)
    }

    /// From the cache; else from the model, and put there.
    private static func cached(
        _ runtime: OnnxRuntime, _ source: ModelSource, _ content: ModelContent, _ options: SessionOptions
    ) throws(InferenceError) -> LoadedGraph {
        let path = options.cache.folder ?? ""
        let folder = GraphFolder(path)
        let entry = GraphEntry(runtime, content, options, in: folder)
        if let contents = entry.read() {
            if let graph = try? read(runtime, entry, contents, source, options) {
                entry.use()
                return graph
            }
            entry.remove()
        }
        // What is written is the weights, which may be twice as wide as in the model, and the graph.
        let wanted = UInt64(source.sizeBytes) * 4 + 1 << 24
        guard wanted <= GraphCache.limitBytes else {
            return try plain(
                runtime, source, options, .cpu,
                cacheNote:
                    "The optimised graph is not kept: it may take \(wanted >> 20) MiB, and the cache holds "
                    + "\(GraphCache.limitBytes >> 20) MiB.")
        }
        makeFolders(path)
        if let free = freeBytes(path), free < wanted {
            return try plain(
                runtime, source, options, .cpu,
                cacheNote: "The optimised graph is not kept: \(path) has \(free >> 20) MiB free, and "
                    + "\(wanted >> 20) MiB are wanted. Make room, or set ECHOEL_GRAPH_CACHE to another folder."
            )
        }
        let staged: StagedGraph
        do throws(SystemCallError) {
            staged = try StagedGraph(entry, in: folder)
        } catch {
            return try plain(
                runtime, source, options, .cpu,
                cacheNote: "The optimised graph is not kept: \(path) cannot be written "
                    + "(\(systemMessage(error.number))). Set ECHOEL_GRAPH_CACHE to a folder of yours.")
        }
        // A graph that cannot be written is no reason not to load the model.
        guard
            let handle = unsafe try? Session.create(
                runtime, source, options, .cpu, savingTo: staged.graph)
        else { return try plain(runtime, source, options, .cpu) }
        return try unsafe LoadedGraph(runtime, handle, name: source.name, staged: staged)
    }

    private static func read(
        _ runtime: OnnxRuntime, _ entry: GraphEntry, _ contents: GraphEntry.Contents, _ source: ModelSource,
        _ options: SessionOptions
    ) throws(InferenceError) -> LoadedGraph {
        let graph = contents.isMapped ? entry.mapped : entry.graph
        let handle = try unsafe optimized(runtime, graph, options)
        let loadRows = {
            unsafe entry.read() == contents ? unsafe try? optimized(runtime, entry.graph, options) : nil
        }
        return try unsafe LoadedGraph(
            runtime, handle, name: source.name, entry: entry, isProbed: contents.isProbed,
            loadRows: contents.isMapped ? loadRows : nil)
    }

    /// What has been optimised already, as it is.
    static func optimized(
        _ runtime: OnnxRuntime, _ graph: String, _ options: SessionOptions
    ) throws(InferenceError) -> OpaquePointer {
        var options = options
        options.graphOptimization = .none
        return try unsafe Session.create(runtime, .file(graph, bytes: 0), options, .cpu)
    }
}

extension ModelSource {
    /// Of its file; nil in memory.
    fileprivate var stamp: FileStamp? { path.flatMap { FileStamp($0) } }

    /// Nil where it cannot be read.
    fileprivate func content(_ cacheFolder: String?) -> ModelContent? {
        switch self {
        case .file(let path, _): KnownContents(folder: cacheFolder).content(of: path)
        case .memory(let bytes): ModelContent(of: bytes)
        }
    }
}

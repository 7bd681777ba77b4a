/// One model's entry in a `GraphCache`: its graph, its weights, and a list that says what they are.
///
/// Room: control.
struct GraphEntry {
    static let graphFile = "graph.onnx"
    static let weightsFile = "weights"
    /// Of a `MappedGraph`, where that is as quick.
    static let mappedFile = "mapped.onnx"
    static let listFile = "list"
    static let files = [graphFile, weightsFile, mappedFile, listFile]
    /// The length of an entry's name: the digits of its key's digest.
    static let nameCharacters = 64

    private let folder: GraphFolder
    /// All that the graph depends on.
    private let key: String
    let path: String

    init(_ runtime: OnnxRuntime, _ content: ModelContent, _ options: SessionOptions, in folder: GraphFolder) {
        self.folder = folder
        let library = FileStamp(runtime.path)?.text ?? ""
        key = [
            content.sha256, runtime.version, runtime.path, library, Session.cpuProvider,
            "\(options.graphOptimization)", "\(options.ownOperators)", "\(EchoelVersion.current)",
            machineDescription(), "\(processorFeatures)",
        ].joined(separator: " | ").map { $0.isNewline ? " " : "\($0)" }.joined()
        var hash = SHA256()
        hash.update(Array(key.utf8).span)
        path = "\(folder.path)/\(hash.hexDigest())"
    }

    var graph: String { "\(path)/\(Self.graphFile)" }
    var mapped: String { "\(path)/\(Self.mappedFile)" }
    private var list: String { "\(path)/\(Self.listFile)" }

    private static let header = "A model as ONNX Runtime has optimised it, kept by echoel; it may be removed."
    private static let end = "end"
    private static let probed = "probed"

    /// What an entry that is whole says.
    struct Contents: Equatable {
        /// Whether the model has been seen to give finite results.
        let isProbed: Bool
        /// Whether it has a `MappedGraph`.
        let isMapped: Bool
    }

    /// Nil where there is no entry, or one that is not as it was written.
    func read() -> Contents? {
        guard let bytes = fileBytes(list, limit: 1 << 16) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 8, lines[0] == Self.header, lines[1] == key, lines[6] == Self.end,
            Array(lines[2...4]) == stamps(in: path).map({ $0[...] })
        else { return nil }
        return Contents(isProbed: lines[5] == Self.probed, isMapped: !lines[4].isEmpty)
    }

    /// Says that the entry has been used.
    func use() {
        touch(list)
        readAhead("\(path)/\(Self.weightsFile)")
    }

    /// Puts the entry in its place, once its graph is in `staging`. Where another process was quicker, its entry stays.
    ///
    /// - Returns: whether it is there.
    func commit(_ staging: String, isProbed: Bool) -> Bool {
        guard writeList(in: staging, isProbed: isProbed) else { return false }
        if read() != nil { return true }
        folder.remove(path)
        return renameFile(staging, to: path) == 0 || read() != nil
    }

    /// Says that the model has been seen to give finite results.
    func setProbed() { if read() != nil { _ = writeList(in: path, isProbed: true) } }

    func remove() { folder.remove(path) }

    private func writeList(in folder: String, isProbed: Bool) -> Bool {
        let lines =
            [Self.header, key] + stamps(in: folder) + [isProbed ? Self.probed : "not probed", Self.end, ""]
        return replaceFile("\(folder)/\(Self.listFile)", with: lines.joined(separator: "\n"))
    }

    /// The stamps of the graph, of the weights and of the second graph, empty for what is not there.
    private func stamps(in folder: String) -> [String] {
        [Self.graphFile, Self.weightsFile, Self.mappedFile].map { FileStamp("\(folder)/\($0)")?.text ?? "" }
    }
}

/// An entry that is being made; its files go with it unless they have been put in their place.
final class StagedGraph {
    let entry: GraphEntry
    let folder: String

    /// - Throws: where the folder cannot be written.
    init(_ entry: GraphEntry, in folder: GraphFolder) throws(SystemCallError) {
        self.entry = entry
        self.folder = try folder.makeStagingFolder()
    }

    deinit { removeFolder(folder) }

    var graph: String { "\(folder)/\(GraphEntry.graphFile)" }
    var mapped: String { "\(folder)/\(GraphEntry.mappedFile)" }
}

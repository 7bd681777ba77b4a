/// Where models are kept as ONNX Runtime has optimised them, so that the next process that loads one need not do it again and
/// maps its weights into memory instead of reading them.
///
/// An entry belongs to one content (SHA-256), one build of ONNX Runtime, one machine and one set of options that the
/// graph depends on; one that is damaged, or was changed by another hand, counts as none and is made anew. Models that the
/// CPU runs are kept, of `leastModelBytes` or more, unless their weights lie in files of their own.
///
/// Room: control.
public enum GraphCache: Sendable, Hashable {
    /// `cache/graphs` in echoel's data folder; the environment variable `ECHOEL_GRAPH_CACHE` names another folder, or is `off`.
    case automatic
    case folder(String)
    /// Every process optimises for itself.
    case off

    /// A smaller model's file is not kept: it loads as quickly as it is.
    public static var leastModelBytes: Int { 1 << 16 }
    /// Over this the entries that have not been used for longest are removed.
    public static var limitBytes: Int { 1 << 30 }

    /// The folder; nil where nothing is kept.
    public var folder: String? {
        switch self {
        case .off: return nil
        case .folder(let path): return path
        case .automatic:
            let named = environmentVariable("ECHOEL_GRAPH_CACHE")
            if named == "off" { return nil }
            return named ?? OnnxRuntime.dataFolder().map { "\($0)/cache/graphs" }
        }
    }

    /// What is in it.
    public struct Summary: Sendable, Hashable {
        /// Nil where nothing is kept.
        public let folder: String?
        public let models: Int
        public let bytes: Int
        /// Why nothing can be kept there; nil where it can, or is not to. A clause.
        public let problem: String?
    }

    /// Looks at the folder and changes nothing.
    public func summary() -> Summary {
        guard let folder else { return Summary(folder: nil, models: 0, bytes: 0, problem: nil) }
        let entries = GraphFolder(folder).entries()
        let problem = obstacle(toWritingIn: folder).map {
            "\(folder) cannot be written (\(systemMessage($0)))"
        }
        return Summary(
            folder: folder, models: entries.count, bytes: entries.reduce(0) { $0 + $1.bytes },
            problem: problem)
    }
}

/// A change of a graph that leaves alone what it computes.
package protocol GraphRewrite: Sendable {
    /// What the command line and a rewritten model call it.
    static var name: String { get }

    /// What it is for, which says when it is kept.
    var gain: Gain { get }

    /// Rewrites whatever it finds, in place.
    ///
    /// - Returns: what it has done, for a person; nil where there was nothing to do, and the graph is as it was.
    func apply(to graph: inout Graph) throws -> String?
}

/// What a rewrite is for.
package enum Gain: Sendable {
    /// Kept where runs become faster.
    case time
    /// Kept where runs do not become slower: the model becomes smaller or simpler.
    case size
}

extension GraphRewrite {
    package var name: String { Self.name }
}

/// `1 node`, `2 nodes`.
func counted(_ count: Int, _ what: String) -> String { "\(count) \(what)\(count == 1 ? "" : "s")" }

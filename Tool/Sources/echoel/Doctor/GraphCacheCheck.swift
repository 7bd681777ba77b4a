import Inference

/// Where optimised models are kept. Everything works without, so it fails nothing: it is told.
enum GraphCacheCheck {
    static func run(_ checks: inout [Check]) {
        let summary = GraphCache.automatic.summary()
        let detail: String
        if let problem = summary.problem {
            detail =
                "nothing is kept, models load more slowly: \(problem); set ECHOEL_GRAPH_CACHE to a folder of yours"
        } else if let folder = summary.folder {
            let size = (Double(summary.bytes) / 1_048_576).formatted(decimals: 1)
            detail =
                "\(folder), \(summary.models) model\(summary.models == 1 ? "" : "s"), \(size) MiB of at most "
                + "\(GraphCache.limitBytes >> 20) MiB"
        } else {
            detail = "off"
        }
        checks.append(.passed("cache", detail))
    }
}

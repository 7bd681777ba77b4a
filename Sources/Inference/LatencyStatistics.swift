/// How long runs took. All times are milliseconds; percentiles are by nearest rank.
public struct LatencyStatistics: Sendable, Hashable {
    /// Runs measured.
    public let runs: Int
    public let averageMilliseconds: Double
    public let fastestMilliseconds: Double
    public let p50Milliseconds: Double
    public let p95Milliseconds: Double
    public let p99Milliseconds: Double
    public let p999Milliseconds: Double
    public let maxMilliseconds: Double

    /// - Parameter milliseconds: one time per run; empty gives zeros.
    public init(milliseconds: [Double]) {
        let sorted = milliseconds.sorted()
        runs = sorted.count
        averageMilliseconds = sorted.isEmpty ? 0 : sorted.reduce(0, +) / Double(sorted.count)
        fastestMilliseconds = sorted.first ?? 0
        p50Milliseconds = Self.percentile(50, of: sorted)
        p95Milliseconds = Self.percentile(95, of: sorted)
        p99Milliseconds = Self.percentile(99, of: sorted)
        p999Milliseconds = Self.percentile(99.9, of: sorted)
        maxMilliseconds = sorted.last ?? 0
    }

    /// The smallest of the sorted times that at least `percent` of them do not exceed.
    static func percentile(_ percent: Double, of sorted: [Double]) -> Double {
        guard !sorted.isEmpty else { return 0 }
        let rank = Int((percent / 100 * Double(sorted.count)).rounded(.up))
        return sorted[min(max(rank, 1), sorted.count) - 1]
    }
}

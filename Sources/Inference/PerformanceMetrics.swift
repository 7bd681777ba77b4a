/// How a loaded model has performed since it was loaded. All times are milliseconds.
public struct PerformanceMetrics: Sendable, Hashable {
    /// Over all inferences.
    public let averageMilliseconds: Double
    /// The slowest of all inferences.
    public let peakMilliseconds: Double
    public let totalInferences: Int
    /// Percentiles of the last 1024 inferences, by nearest rank.
    public let p50Milliseconds: Double
    public let p95Milliseconds: Double
    public let p99Milliseconds: Double

    /// What an inference may take at most in real time.
    public static let realtimeThresholdMilliseconds = 20.0

    /// Whether 99 in 100 of the last inferences stayed under 20 ms; true before the first.
    public var isRealtime: Bool { p99Milliseconds < Self.realtimeThresholdMilliseconds }
}

/// The times of a model's inferences, as they come.
struct LatencyLog {
    private var totalMilliseconds = 0.0
    private var peakMilliseconds = 0.0
    private var count = 0
    private var recent: [Double] = []

    static let window = 1024

    mutating func add(nanoseconds: UInt64) {
        let milliseconds = Double(nanoseconds) / 1e6
        if recent.count < Self.window {
            recent.append(milliseconds)
        } else {
            recent[count % Self.window] = milliseconds
        }
        totalMilliseconds += milliseconds
        peakMilliseconds = max(peakMilliseconds, milliseconds)
        count += 1
    }

    var metrics: PerformanceMetrics {
        let statistics = LatencyStatistics(milliseconds: recent)
        return PerformanceMetrics(
            averageMilliseconds: count == 0 ? 0 : totalMilliseconds / Double(count),
            peakMilliseconds: peakMilliseconds, totalInferences: count,
            p50Milliseconds: statistics.p50Milliseconds, p95Milliseconds: statistics.p95Milliseconds,
            p99Milliseconds: statistics.p99Milliseconds)
    }
}

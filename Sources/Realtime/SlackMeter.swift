/// How much time a worker had left when it was done with something, counted in steps.
///
/// Wait-free. Room: `add` worker, `read` any; `init` and `deinit` control.
@safe public struct SlackMeter: ~Copyable, @unchecked Sendable {
    // Sendable: the counters are.
    /// Of the samples, Hz.
    public let sampleRate: Int
    private let counts: UnsafeMutablePointer<Counter>
    private let late = Counter()

    public init(sampleRate: Int) {
        self.sampleRate = sampleRate
        unsafe counts = .allocate(capacity: Slack.steps)
        for step in 0..<Slack.steps { unsafe (counts + step).initialize(to: Counter()) }
    }

    deinit {
        unsafe counts.deinitialize(count: Slack.steps)
        unsafe counts.deallocate()
    }

    /// - Parameter samples: that were left; less than 0 where it was too late.
    public borrowing func add(_ samples: Int) {
        if samples < 0 { return late.add(1) }
        unsafe counts[min(samples / Slack.stepSamples, Slack.steps - 1)].add(1)
    }

    public borrowing func read() -> Slack {
        var slack = Slack(sampleRate: sampleRate)
        slack.late = late.read()
        for step in 0..<Slack.steps { slack.counts[step] = unsafe counts[step].read() }
        return slack
    }
}

/// How often workers had how much time left: what a `SlackMeter` has counted.
public struct Slack: Sendable, Equatable {
    /// Samples of a step, and how many steps there are; the last one holds all that is more.
    public static let stepSamples = 16
    public static let steps = 512

    /// Of the samples, Hz.
    public let sampleRate: Int
    /// For each step, how often between that many samples and one step more were left.
    public internal(set) var counts = [Int](repeating: 0, count: Slack.steps)
    /// How often it was too late.
    public internal(set) var late = 0

    public init(sampleRate: Int) { self.sampleRate = sampleRate }

    public var total: Int { counts.reduce(late, +) }

    /// The samples that were left at least, in all but a `share` of cases, 0…1, rounded down to a step; less than 0 where it
    /// was too late, nil where nothing was counted.
    public func samples(allBut share: Double) -> Int? {
        guard total > 0 else { return nil }
        var passed = late
        let most = Int(share * Double(total))
        if passed > most { return -1 }
        for (step, count) in counts.enumerated() {
            passed += count
            if passed > most { return step * Self.stepSamples }
        }
        return (Self.steps - 1) * Self.stepSamples
    }

    /// As `samples`, in milliseconds.
    public func milliseconds(allBut share: Double) -> Double? {
        samples(allBut: share).map { 1000 * Double($0) / Double(sampleRate) }
    }

    /// And those of another worker, at the same rate.
    public mutating func add(_ other: Slack) {
        for step in counts.indices { counts[step] += other.counts[step] }
        late += other.late
    }

    /// What has been counted since `earlier`, of the same workers.
    public func since(_ earlier: Slack) -> Slack {
        var slack = self
        for step in counts.indices { slack.counts[step] = max(0, counts[step] - earlier.counts[step]) }
        slack.late = max(0, late - earlier.late)
        return slack
    }
}

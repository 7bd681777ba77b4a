/// How `.auto` chooses what runs a model.
public struct AutoOptions: Sendable, Hashable {
    /// What a run may take, 99 times in 100, in milliseconds; nil where the fastest is wanted.
    public var deadlineMilliseconds: Double?
    /// How near a provider's results have to be to the CPU's: the least signal-to-noise ratio, in dB.
    public var leastDecibels: Double
    /// Sizes of dynamic axes by name, with which the model is measured; the others are 1.
    public var dimensions: [String: Int]
    /// For each provider; it is measured for at least 30 runs.
    public var seconds: Double
    /// Where choices are remembered; nil for `cache/providers` in echoel's data folder.
    public var cacheFolder: String?

    public init(
        deadlineMilliseconds: Double? = nil, leastDecibels: Double = 60, dimensions: [String: Int] = [:],
        seconds: Double = 0.3, cacheFolder: String? = nil
    ) {
        self.deadlineMilliseconds = deadlineMilliseconds
        self.leastDecibels = leastDecibels
        self.dimensions = dimensions
        self.seconds = seconds
        self.cacheFolder = cacheFolder
    }
}

public import Signal

/// The delay from what comes in to its sound, in samples, by what it is for.
///
/// Nothing that is computed in slices (or in a model's hops) can be heard sooner than the blocks and slices allow
/// (`buffering`); what a model is late by itself is `model` (0 for instruments, where it is trimmed from the start of each
/// note); and the worker is given `lookAhead` samples more than that to compute in. A model at another rate than the
/// sound's is late by `resampling` besides, the filters before and behind it; the samples are the sound's in any case.
public struct Latency: Sendable, Equatable {
    public var buffering: Int
    public var model: Int
    public var lookAhead: Int
    public var resampling: Int

    public init(buffering: Int, model: Int, lookAhead: Int, resampling: Int = 0) {
        self.buffering = buffering
        self.model = model
        self.lookAhead = lookAhead
        self.resampling = resampling
    }

    /// Samples from what comes in to its sound.
    public var total: Int { buffering + model + lookAhead + resampling }

    /// The least delay at which every slice of `sliceSamples` can be rendered before the block that reads it.
    ///
    /// A block of n frames that starts at event time p reads up to p + n − latency, and the slices of s samples are
    /// known up to the multiple of s at or below p. The most that p is past such a multiple is s − gcd(n, s) where all
    /// blocks have n frames, and s − 1 where they have any number of frames up to n.
    ///
    /// Where the host has another rate, of which n is, the slices are counted in K(h) = ⌈h L / M⌉, L / M being `rates`,
    /// from the host's to theirs, and the delay as well: it is the most of K(h + n) − ⌊K(h) / s⌋ s over all blocks'
    /// beginnings h. As h L is, up to multiples of M s, a multiple of g = gcd(n L, M s), or of gcd(L, M s) where blocks
    /// vary, that is ⌈(y + n L) / M⌉ for the largest multiple y of g up to M (s − 1).
    public static func buffering(
        blockFrames n: Int, sliceSamples s: Int, blocksVary: Bool = false, rates: RateRatio = .equal
    ) -> Int {
        let (l, m) = (rates.ticksPerInput, rates.ticksPerOutput)
        let g = greatestCommonDivisor((blocksVary ? 1 : n) * l, m * s)
        return (m * (s - 1) / g * g + n * l + m - 1) / m
    }

    /// This latency, of parts at a model's rate, at the sound's; and what the last resampler has to be late on top, in
    /// ticks, so that the whole is a whole number of samples.
    ///
    /// - Parameters:
    ///   - rates: from the sound's rate to the model's.
    ///   - filters: how many resamplers the sound goes through.
    ///   - lateTicks: what is late besides, for the same reason.
    ///   - wanted: the whole, where it is to be more than it takes.
    package func resampled(
        _ rates: RateRatio, filters: Int, lateTicks: Int = 0, whole wanted: Int? = nil
    ) -> (latency: Latency, extraDelayTicks: Int) {
        guard rates != .equal else { return (self, 0) }
        let (l, m) = (rates.ticksPerInput, rates.ticksPerOutput)
        let ticks = filters * Resampler.delayTicks(of: rates) + lateTicks + total * m
        let whole = wanted ?? (ticks + l - 1) / l
        // Each part begins where the ones before end.
        let ends = [buffering, buffering + lookAhead, total].map { $0 * m / l }
        let latency = Latency(
            buffering: ends[0], model: ends[2] - ends[1], lookAhead: ends[1] - ends[0],
            resampling: whole - ends[2])
        return (latency, whole * l - ticks)
    }
}

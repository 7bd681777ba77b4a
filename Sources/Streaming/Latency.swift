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
    public static func buffering(blockFrames n: Int, sliceSamples s: Int, blocksVary: Bool = false) -> Int {
        n + effectBuffering(blockFrames: n, hop: s, blocksVary: blocksVary)
    }
}

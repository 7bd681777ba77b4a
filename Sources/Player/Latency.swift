/// The delay from a message to its sound, in samples, by what it is for.
///
/// Nothing that is rendered in slices can be heard sooner than the blocks and slices allow (`buffering`); what a model
/// needs by itself is trimmed from the start of each note and is no latency (`model`, 0 for instruments); and the
/// worker is given `lookAhead` samples more than that to render in.
public struct Latency: Sendable, Equatable {
    public var buffering: Int
    public var model: Int
    public var lookAhead: Int

    public init(buffering: Int, model: Int, lookAhead: Int) {
        self.buffering = buffering
        self.model = model
        self.lookAhead = lookAhead
    }

    /// Samples from a message to its sound.
    public var total: Int { buffering + model + lookAhead }

    /// The least delay at which every slice of `sliceSamples` can be rendered before the block that reads it.
    ///
    /// A block of n frames that starts at event time p reads up to p + n − latency, and the slices of s samples are
    /// known up to the multiple of s at or below p. The most that p is past such a multiple is s − gcd(n, s) where all
    /// blocks have n frames, and s − 1 where they have any number of frames up to n.
    public static func buffering(blockFrames n: Int, sliceSamples s: Int, blocksVary: Bool = false) -> Int {
        var (a, b) = (n, s)
        while b != 0 { (a, b) = (b, a % b) }
        return n + s - (blocksVary ? 1 : a)
    }
}

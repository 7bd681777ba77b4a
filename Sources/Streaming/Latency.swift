/// The delay from what comes in to its sound, in samples, by what it is for.
///
/// Nothing that is computed in slices (or in a model's hops) can be heard sooner than the blocks and slices allow
/// (`buffering`); what a model is late by itself is `model` (0 for instruments, where it is trimmed from the start of each
/// note); and the worker is given `lookAhead` samples more than that to compute in.
public struct Latency: Sendable, Equatable {
    public var buffering: Int
    public var model: Int
    public var lookAhead: Int

    public init(buffering: Int, model: Int, lookAhead: Int) {
        self.buffering = buffering
        self.model = model
        self.lookAhead = lookAhead
    }

    /// Samples from what comes in to its sound.
    public var total: Int { buffering + model + lookAhead }

    /// The least delay at which every slice of `sliceSamples` can be rendered before the block that reads it.
    ///
    /// A block of n frames that starts at event time p reads up to p + n − latency, and the slices of s samples are
    /// known up to the multiple of s at or below p. The most that p is past such a multiple is s − gcd(n, s) where all
    /// blocks have n frames, and s − 1 where they have any number of frames up to n.
    public static func buffering(blockFrames n: Int, sliceSamples s: Int, blocksVary: Bool = false) -> Int {
        n + effectBuffering(blockFrames: n, hop: s, blocksVary: blocksVary)
    }

    /// The least delay at which a model can work on sound that comes in, were it infinitely quick.
    ///
    /// With a block of n frames its input is known up to the block's end, a multiple of n where all have n frames; the
    /// most that this is past a multiple of the model's hop s is s − gcd(n, s), or s − 1 where blocks vary.
    public static func effectBuffering(blockFrames n: Int, hop s: Int, blocksVary: Bool = false) -> Int {
        var (a, b) = (n, s)
        while b != 0 { (a, b) = (b, a % b) }
        return s - (blocksVary ? 1 : a)
    }

    /// What one worker that needs up to T `samples` of time for each hop has to be given on top; T is at most a hop. The
    /// least there is.
    ///
    /// Where all blocks have n frames, hop k of s samples is complete with the block that begins at c(k) =
    /// ⌈(k + 1) s / n⌉ n − n. The worker has done it at d(k) = max(d(k − 1), c(k)) + T at the latest, and the first block
    /// that can read it begins at r(k) = ⌈d(k) / n⌉ n. The latency is the most of r(k) − k s, and repeats after n hops.
    /// (anira's formula, adapt + caused, is never less as long as no hop has to wait for the one before, and too little
    /// where one has.) Where blocks vary, the one that completes a hop may have been a single frame and the one that reads
    /// it n.
    public static func effectLookAhead(
        workSamples samples: Int, blockFrames n: Int, hop s: Int, blocksVary: Bool = false
    ) -> Int {
        if blocksVary { return samples + n - 1 }
        var (done, most) = (0, 0)
        for hop in 0..<2 * n {
            let complete = ((hop + 1) * s + n - 1) / n * n - n
            done = max(done, complete) + samples
            most = max(most, (done + n - 1) / n * n - hop * s)
        }
        return most - effectBuffering(blockFrames: n, hop: s)
    }
}

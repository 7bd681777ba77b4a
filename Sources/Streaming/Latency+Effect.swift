public import Signal

extension Latency {
    /// The least delay, in samples of the model, at which a model can work on sound that comes in, were it infinitely
    /// quick.
    ///
    /// After h samples at the sound's rate K(h) = ⌈h L / M⌉ samples have come in at the model's; L / M is `rates`, 1 / 1
    /// where both are the same. With a block of n frames the input is known up to the block's end, K(j n), or any K where
    /// blocks have any number of frames up to n; the delay is the most that this is past a multiple of the model's hop s.
    /// As ⌈x / M⌉ mod s depends on x mod M s alone, and the multiples of n L are there the multiples of
    /// g = gcd(n L, M s), it is ⌈y / M⌉ for the largest multiple y of g up to M (s − 1). At one rate that is
    /// s − gcd(n, s), and s − 1 where blocks vary.
    public static func effectBuffering(
        blockFrames n: Int, hop s: Int, blocksVary: Bool = false, rates: RateRatio = .equal
    ) -> Int {
        let (l, m) = (rates.ticksPerInput, rates.ticksPerOutput)
        let g = greatestCommonDivisor((blocksVary ? 1 : n) * l, m * s)
        return (m * (s - 1) / g * g + m - 1) / m
    }

    /// What a worker that needs up to T `samples` of the sound's time for each hop has to be given on top, in samples of
    /// the model. The least there is at one rate.
    ///
    /// Where all blocks have n frames, hop k of s samples is complete with the block that begins at c(k) =
    /// ⌊((k + 1) s − 1) M / (n L)⌋ n. The worker has done it at d(k) = max(d(k − 1), c(k)) + T at the latest, and the
    /// first block that can read it begins at r(k) = ⌈d(k) / n⌉ n. The delay is the most of K(r(k)) − k s, and repeats
    /// after n L / gcd(s M, n L) hops. (anira's formula, adapt + caused, is never less as long as no hop has to wait for
    /// the one before, and too little where one has.)
    ///
    /// Where blocks vary, the one that completes a hop may have been a single frame that begins at c(k) =
    /// ⌊((k + 1) s − 1) M / L⌋, and the one that reads it n: the delay is the most of K(c(k) + T + n − 1) − k s.
    ///
    /// T may be more than a hop takes to come in: then for a hop that needs so long once in a while, while the others make
    /// up for it.
    public static func effectLookAhead(
        workSamples samples: Int, blockFrames n: Int, hop s: Int, blocksVary: Bool = false,
        rates: RateRatio = .equal
    ) -> Int {
        let (l, m) = (rates.ticksPerInput, rates.ticksPerOutput)
        let buffering = effectBuffering(blockFrames: n, hop: s, blocksVary: blocksVary, rates: rates)
        let period = n * l / greatestCommonDivisor(s * m, n * l)
        // What varying blocks ask for is enough for equal ones. Rates with little in common repeat too late to be tried.
        if blocksVary || period > 1 << 16 {
            // ((k + 1) s − 1) M is past a multiple of L by this, at least.
            let g = greatestCommonDivisor(s, l)
            let past = (g - m % g) % g
            return s - 1 + ((samples + n - 1) * l - past + m - 1) / m - buffering
        }
        let keepsUp = samples * l <= s * m
        var (done, most) = (0, 0)
        for hop in 0..<2 * period {
            let complete = ((hop + 1) * s - 1) * m / (n * l) * n
            done = (keepsUp ? max(done, complete) : complete) + samples
            most = max(most, rates.outputs(after: (done + n - 1) / n * n) - hop * s)
        }
        return most - buffering
    }
}

func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
}

internal import NeuralSynth
internal import Signal
internal import Streaming

/// What a live player's blocks and latency are, at the host's rate and at the player's own.
struct HostTiming {
    /// Hz.
    let hostRate, playerRate: Int
    /// From the host's rate to the player's.
    let rates: RateRatio
    /// The most frames of a block, at the host's rate.
    let hostBlockFrames: Int
    /// At the player's rate: the most frames of a block, and from a message to its sound.
    let blockFrames, delay: Int
    /// What the way back is given on top, so that the whole is a whole number of the host's frames.
    let extraDelayTicks: Int
    let latency: Latency

    /// - Parameter playerRate: nil where there is no instrument, which is refused elsewhere.
    /// - Throws: `sampleRate` for rates beyond 8000…384,000 Hz.
    init(_ live: LiveConfiguration, playerRate: Int?, sliceSamples: Int) throws(NeuralSynthError) {
        let player = playerRate ?? 48_000
        let host = live.sampleRate ?? player
        if host != player {
            for rate in [host, player] where !LiveConfiguration.sampleRates.contains(rate) {
                throw NeuralSynthError(
                    .sampleRate, "Sound of \(rate) Hz cannot be played; 8000 to 384000 Hz can.")
            }
        }
        (hostRate, self.playerRate) = (host, player)
        rates = host == player ? .equal : RateRatio(from: host, to: player)
        hostBlockFrames = live.blockFrames
        blockFrames = rates.outputs(after: live.blockFrames)
        let own = Latency(
            buffering: Latency.buffering(
                blockFrames: live.blockFrames, sliceSamples: min(max(sliceSamples, 1), 65_536),
                blocksVary: live.blocksVary, rates: rates),
            model: 0, lookAhead: rates.outputs(after: live.lookAheadSamples))
        delay = own.total
        // A message's sample is up to a sample after its frame: half a sample as a rule.
        let late = rates.ticksPerOutput / 2
        (latency, extraDelayTicks) = own.resampled(rates, filters: 1, lateTicks: late)
    }

    /// Nil where both rates are one. To be deinitialised and deallocated by the caller.
    ///
    /// - Throws: `sampleRate` where the rates have too little in common.
    func makeBridge() throws(NeuralSynthError) -> UnsafeMutablePointer<PlayerBridge>? {
        guard rates != .equal else { return nil }
        guard
            let back = Resampler(
                from: playerRate, to: hostRate, channels: 2, extraDelayTicks: extraDelayTicks)
        else {
            throw NeuralSynthError(
                .sampleRate,
                "\(hostRate) Hz and the instruments' \(playerRate) Hz have too little in common to be converted live. Play "
                    + "at \(playerRate) Hz.")
        }
        let bridge = UnsafeMutablePointer<PlayerBridge>.allocate(capacity: 1)
        unsafe bridge.initialize(
            to: PlayerBridge(RateReturn(back, blockFrames: hostBlockFrames), rates: rates))
        return unsafe bridge
    }
}

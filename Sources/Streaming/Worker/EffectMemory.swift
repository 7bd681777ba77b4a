/// What an effect keeps of each of its streams from hop to hop: the models' states, and what windows are still to add.
///
/// The workers share it. A stream's part is touched by whoever has taken the stream.
///
/// Room: worker; `init` and `deinit` control.
@safe final class EffectMemory {
    /// Of each method.
    let states: [VoiceStates]
    /// Of each stream `channels` × `window` samples, or none.
    private let tails: UnsafeMutablePointer<Float>?
    private let channels, hop, window: Int
    /// Of each stream the hop that was computed last, and where the stream had begun then.
    private let last: UnsafeMutablePointer<(hop: Int, base: Int)>

    init(_ effect: EffectDescription, streams: Int) {
        states = effect.methods.map {
            VoiceStates($0.states, maximumVoices: streams, maximumBatch: 1)
        }
        (channels, hop, window) = (effect.channels, effect.hop, effect.window)
        if effect.overlapsAndAdds {
            let count = streams * channels * window
            unsafe tails = .allocate(capacity: count)
            unsafe tails?.initialize(repeating: 0, count: count)
        } else {
            unsafe tails = nil
        }
        unsafe last = .allocate(capacity: streams)
        unsafe last.initialize(repeating: (hop: -1, base: -1), count: streams)
    }

    deinit {
        unsafe tails?.deallocate()
        unsafe last.deallocate()
    }

    /// Before a hop: everything is fresh where the stream has begun anew, at `base`.
    func begin(stream: Int, hop number: Int, base: Int) {
        if unsafe last[stream].base != base {
            for states in states { states.reset(voice: stream) }
            if let tails = unsafe tails {
                unsafe (tails + stream * channels * window).update(repeating: 0, count: channels * window)
            }
            unsafe last[stream] = (hop: number, base: base)
        }
    }

    /// Everything is fresh at the next hop.
    func forget(stream: Int) { unsafe last[stream].base = -1 }

    /// After a hop: adds the windows of `samples` to what is left of the ones before; the hop's samples are then at the
    /// beginning of each channel's row of `window`. For a model whose windows do not overlap nothing happens.
    func add(_ samples: UnsafeMutablePointer<Float>, stream: Int, hop number: Int) {
        let passed = unsafe number - last[stream].hop
        unsafe last[stream].hop = number
        guard let tails = unsafe tails else { return }
        let shift = min(passed * hop, window)
        for channel in 0..<channels {
            let (tail, row) = unsafe (
                tails + (stream * channels + channel) * window, samples + channel * window
            )
            for i in 0..<window {
                let before: Float = unsafe i + shift < window ? tail[i + shift] : 0
                unsafe row[i] += before
                unsafe tail[i] = row[i]
            }
        }
    }
}

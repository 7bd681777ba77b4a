internal import Signal
internal import Streaming

/// A note as the worker sees it. Times are event time, in samples.
struct Voice {
    /// Which of its group's priors plays it.
    let prior: Int
    let onset: Int
    /// Samples that the note is older than its time here.
    let age: Int
    let channel: Int
    /// The MIDI key that sounds, and the key whose timbre it has (within the instrument's range).
    let key: Float
    let timbreKey: Float
    let velocity: Float
    /// The prior's row, with what all notes of the instrument have in common.
    let template: [Float]
    let noise: CounterNoise
    /// What tells the note from others of its key and velocity, 0..<1.
    let variation: Float
    var slot = 0
    var releaseTime = Int.max
    var silentAt = Int.max

    /// Where the variation is drawn from the note's noise: the decoder's noise, from position 0 on, never gets there.
    static let variationPosition: UInt64 = 1 << 63

    /// The event time of the first sample that a slot yields.
    func audioStart(_ decoder: StreamingDecoderDescription, slot: Int) -> Int {
        onset - decoder.delaySamples + slot * decoder.slotSamples
    }
}

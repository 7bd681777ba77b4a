internal import Signal

/// What the scheduler tells the mixer: it happens when the read head gets to `time` (event time, samples).
enum MixAction: BitwiseCopyable, Sendable {
    /// A track's samples are heard from here on, at `level`, which they have after `rise` samples.
    case start(time: Int, track: Int32, channel: UInt8, level: Float, rise: Int32)
    /// A track's gain goes to zero; before that it is what it was.
    case fade(time: Int, track: Int32, fade: Fade)
    /// A channel's gains move to these.
    case channelGain(time: Int, channel: UInt8, left: Float, right: Float)

    var time: Int {
        @_noLocks get {
            switch self {
            case .start(let time, _, _, _, _), .fade(let time, _, _), .channelGain(let time, _, _, _): time
            }
        }
    }
}

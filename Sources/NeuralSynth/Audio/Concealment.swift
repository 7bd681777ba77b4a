internal import Realtime

/// What is heard where the worker was late: the last milliseconds backwards, fading, then nothing; and the sound's
/// return, faded in. There is no click: backwards, a sound goes on from where it was.
///
/// Room: audio.
struct Concealment: ~Copyable {
    /// How long it takes to fade out, or in: 2.7 ms at 48 kHz.
    static var fadeFrames: Int { 128 }

    struct Frame: BitwiseCopyable {
        var left: Float = 0
        var right: Float = 0
    }

    /// The last frames that were heard; the oldest is at `head`.
    private var heard = FixedArray<Frame>(count: Concealment.fadeFrames, repeating: Frame())
    private var head = 0
    /// What is heard of them once more, from `played` on.
    private var echo = FixedArray<Frame>(count: Concealment.fadeFrames, repeating: Frame())
    private var played = Concealment.fadeFrames
    private var isMissing = false
    /// Frames of the fade-in that are still to come; 0 when the sound is whole.
    private var returning = 0

    /// Whether something of what went missing is still heard.
    var isFading: Bool {
        @_noLocks get { isMissing && played < Concealment.fadeFrames }
    }

    /// Remembers what is heard, and fades it in where it had been missing. Otherwise it stays as it is, to the bit.
    @_noLocks
    mutating func pass(
        _ left: inout MutableSpan<Float>, _ right: inout MutableSpan<Float>, at offset: Int, count: Int
    ) {
        if isMissing {
            isMissing = false
            returning = Concealment.fadeFrames
        }
        for i in offset..<offset + count {
            if returning > 0 {
                let gain = Float(Concealment.fadeFrames - returning) / Float(Concealment.fadeFrames)
                let frame = nextEcho()
                left[i] = left[i] * gain + frame.left
                right[i] = right[i] * gain + frame.right
                returning -= 1
            }
            remember(Frame(left: left[i], right: right[i]))
        }
    }

    /// Fills in for `count` frames that are missing.
    @_noLocks
    mutating func fill(
        _ left: inout MutableSpan<Float>, _ right: inout MutableSpan<Float>, at offset: Int, count: Int
    ) {
        if !isMissing {
            isMissing = true
            startEcho()
        }
        for i in offset..<offset + count {
            let frame = nextEcho()
            left[i] = frame.left
            right[i] = frame.right
            remember(frame)
        }
    }

    /// As if nothing had ever been heard.
    @_noLocks
    mutating func forget() {
        for i in 0..<Concealment.fadeFrames { heard[i] = Frame() }
        played = Concealment.fadeFrames
        isMissing = false
        returning = 0
    }

    @_noLocks
    private mutating func startEcho() {
        played = 0
        for i in 0..<Concealment.fadeFrames {
            let place = head - 1 - i
            let frame = heard[place < 0 ? place + Concealment.fadeFrames : place]
            let gain = Float(Concealment.fadeFrames - i) / Float(Concealment.fadeFrames)
            echo[i] = Frame(left: frame.left * gain, right: frame.right * gain)
        }
    }

    @_noLocks
    private mutating func nextEcho() -> Frame {
        if played == Concealment.fadeFrames { return Frame() }
        played += 1
        return echo[played - 1]
    }

    @_noLocks
    private mutating func remember(_ frame: Frame) {
        heard[head] = frame
        head = head + 1 == Concealment.fadeFrames ? 0 : head + 1
    }
}

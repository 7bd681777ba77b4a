internal import Realtime

/// What is heard where the worker was late: the last milliseconds backwards, fading, while what is given in the sound's
/// place (silence, or the sound as it came in) fades in; and the sound's return in the same way. There is no click:
/// backwards, a sound goes on from where it was.
///
/// One channel. Room: audio; `init` and `deinit` control.
public struct Concealment: ~Copyable {
    /// How long a change takes: 2.7 ms at 48 kHz.
    public static var fadeFrames: Int {
        @_noLocks get { 128 }
    }

    /// The last frames that were heard; the oldest is at `head`.
    private var heard = FixedArray<Float>(count: 128, repeating: 0)
    private var head = 0
    /// What is heard of them once more, backwards.
    private var echo = FixedArray<Float>(count: 128, repeating: 0)
    private var isMissing = false
    /// Frames of a change that are still to come; 0 when there is none.
    private var changing = 0

    public init() {}

    /// Whether something of what went missing is still heard.
    public var isFading: Bool {
        @_noLocks get { isMissing && changing > 0 }
    }

    /// Remembers the sound, and fades it in where it had been missing. Otherwise it stays as it is, to the bit.
    @_noLocks
    public mutating func pass(_ samples: inout MutableSpan<Float>, at offset: Int, count: Int) {
        follow(isMissing: false, &samples, at: offset, count: count)
    }

    /// Fades to what `samples` hold in the place of `count` frames that are missing.
    @_noLocks
    public mutating func fill(_ samples: inout MutableSpan<Float>, at offset: Int, count: Int) {
        follow(isMissing: true, &samples, at: offset, count: count)
    }

    /// As if nothing had ever been heard.
    @_noLocks
    public mutating func forget() {
        for i in 0..<Concealment.fadeFrames { heard[i] = 0 }
        isMissing = false
        changing = 0
    }

    @_noLocks
    private mutating func follow(
        isMissing nowMissing: Bool, _ samples: inout MutableSpan<Float>, at offset: Int, count: Int
    ) {
        if isMissing != nowMissing {
            isMissing = nowMissing
            startEcho()
        }
        let end = offset + count
        var i = offset
        while i < end && changing > 0 {
            let gain = Float(Concealment.fadeFrames - changing) / Float(Concealment.fadeFrames)
            samples[i] = samples[i] * gain + echo[Concealment.fadeFrames - changing]
            changing -= 1
            i += 1
        }
        // What is older than the last that fit is never asked for.
        i = count > Concealment.fadeFrames ? end - Concealment.fadeFrames : offset
        while i < end {
            heard[head] = samples[i]
            i += 1
            head = head + 1 == Concealment.fadeFrames ? 0 : head + 1
        }
    }

    @_noLocks
    private mutating func startEcho() {
        for i in 0..<Concealment.fadeFrames {
            let place = head - 1 - i
            let gain = Float(Concealment.fadeFrames - i) / Float(Concealment.fadeFrames)
            echo[i] = heard[place < 0 ? place + Concealment.fadeFrames : place] * gain
        }
        changing = Concealment.fadeFrames
    }
}

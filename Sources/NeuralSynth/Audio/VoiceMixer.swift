internal import Realtime
internal import Signal

/// Sums the tracks into a stereo block: level, release and pan per sample.
///
/// Every gain is a function of event time, so the result does not depend on how the time is cut into blocks.
///
/// Room: audio.
@safe struct VoiceMixer: ~Copyable {
    /// Channel gains move in 256 samples, 5 ms at 48 kHz.
    private static var rampSamples: Int { 256 }
    /// The longest run of samples that is mixed at once.
    private static var chunkFrames: Int { 256 }

    struct Voice: BitwiseCopyable {
        var isActive = false
        var channel = 0
        var level: Float = 0
        var fade = Fade.never
        /// A note that rises does what a fade does the other way round; others have done so long ago.
        var rise = Fade(start: -1 << 40, length: 1)
    }

    private let samples: UnsafeMutablePointer<Float>
    private let mask: Int
    private let renderedUntil: UnsafeMutablePointer<PublishedValue>
    private let masterGain: Float
    private var voices: FixedArray<Voice>
    private var left: FixedArray<Ramp>
    private var right: FixedArray<Ramp>
    /// 16 channels of a chunk, and a bit for each that sounds in it.
    private var sums: FixedArray<Float>
    private var sounding: UInt32 = 0
    /// Samples that the worker did not deliver in time, while a note sounded.
    private(set) var missedFrames = 0
    private var concealedLeft = Concealment()
    private var concealedRight = Concealment()

    init(tracks: VoiceTracks, masterGain: Float) {
        unsafe samples = tracks.track(0)
        mask = tracks.mask
        unsafe renderedUntil = tracks.renderedUntil
        self.masterGain = masterGain
        voices = FixedArray(count: tracks.count, repeating: Voice())
        left = FixedArray(count: 16, repeating: Ramp(1, length: VoiceMixer.rampSamples))
        right = FixedArray(count: 16, repeating: Ramp(1, length: VoiceMixer.rampSamples))
        sums = FixedArray(count: 16 * VoiceMixer.chunkFrames, repeating: 0)
    }

    /// Fills both outputs with the sound from event time `start` on.
    @_noLocks
    mutating func process(
        from start: Int, actions: borrowing EventQueue<MixAction>, left outLeft: inout MutableSpan<Float>,
        right outRight: inout MutableSpan<Float>
    ) {
        let frames = outLeft.count
        let rendered = unsafe renderedUntil.pointee.read()
        var done = 0
        while done < frames {
            var count = frames - done
            if count > VoiceMixer.chunkFrames { count = VoiceMixer.chunkFrames }
            while let action = actions.peek() {
                let wait = action.time - (start + done)
                if wait > 0 {
                    if wait < count { count = wait }
                    break
                }
                apply(action)
                _ = actions.pop()
            }
            let ready = rendered - (start + done)
            if ready > 0, ready < count { count = ready }
            mix(from: start + done, count: count, isRendered: ready > 0)
            if ready <= 0, sounding != 0 || concealedLeft.isFading {
                if sounding != 0 { missedFrames += count }
                for i in done..<done + count {
                    outLeft[i] = 0
                    outRight[i] = 0
                }
                concealedLeft.fill(&outLeft, at: done, count: count)
                concealedRight.fill(&outRight, at: done, count: count)
            } else {
                write(from: start + done, count: count, at: done, &outLeft, &outRight)
                concealedLeft.pass(&outLeft, at: done, count: count)
                concealedRight.pass(&outRight, at: done, count: count)
            }
            done += count
        }
    }

    /// Every track is silent at once, and what was still to happen does not.
    @_noLocks
    mutating func silence(_ actions: borrowing EventQueue<MixAction>) {
        while actions.pop() != nil {}
        for i in 0..<voices.count { voices[i].isActive = false }
        concealedLeft.forget()
        concealedRight.forget()
    }

    @_noLocks
    private mutating func apply(_ action: MixAction) {
        switch action {
        case .start(let time, let track, let channel, let level, let rise):
            voices[Int(track)] = Voice(isActive: true, channel: Int(channel), level: level, fade: .never)
            if rise > 0 { voices[Int(track)].rise = Fade(start: time, length: Int(rise)) }
        case .fade(let time, let track, let fade):
            // What an earlier fade has taken away stays away.
            voices[Int(track)].level *= voices[Int(track)].fade.gain(at: time)
            voices[Int(track)].fade = fade
        case .channelGain(let time, let channel, let left, let right):
            self.left[Int(channel)].move(to: left, at: time)
            self.right[Int(channel)].move(to: right, at: time)
        }
    }

    /// The notes that sound, those included that fade.
    var activeVoices: Int {
        @_noLocks get {
            var count = 0
            for i in 0..<voices.count where voices[i].isActive { count += 1 }
            return count
        }
    }

    /// Sums the tracks' samples per channel. Where the worker has not been yet, it may be writing them: there is only told which
    /// channels would sound.
    @_noLocks
    private mutating func mix(from time: Int, count: Int, isRendered: Bool) {
        sounding = 0
        for track in 0..<voices.count {
            let voice = voices[track]
            if !voice.isActive { continue }
            if voice.fade.end <= time {
                voices[track].isActive = false
                continue
            }
            let source = unsafe samples + track * (mask + 1)
            let row = voice.channel * VoiceMixer.chunkFrames
            if sounding & (1 << UInt32(voice.channel)) == 0 {
                sounding |= 1 << UInt32(voice.channel)
                for i in 0..<count { sums[row + i] = 0 }
            }
            if !isRendered { continue }
            if voice.rise.end > time {
                unsafe addRising(voice, source, from: time, count: count)
            } else if voice.fade.start >= time + count {
                for i in 0..<count { sums[row + i] += unsafe source[(time + i) & mask] * voice.level }
            } else {
                for i in 0..<count {
                    sums[row + i] +=
                        unsafe source[(time + i) & mask] * voice.level * voice.fade.gain(at: time + i)
                }
            }
        }
    }

    @_noLocks
    private mutating func addRising(
        _ voice: Voice, _ source: UnsafeMutablePointer<Float>, from time: Int, count: Int
    ) {
        let row = voice.channel * VoiceMixer.chunkFrames
        for i in 0..<count {
            let gain = (1 - voice.rise.gain(at: time + i)) * voice.fade.gain(at: time + i)
            sums[row + i] += unsafe source[(time + i) & mask] * voice.level * gain
        }
    }

    /// A channel's gains before anything is heard.
    @_noLocks
    mutating func begin(channel: Int, left: Float, right: Float) {
        self.left[channel] = Ramp(left, length: VoiceMixer.rampSamples)
        self.right[channel] = Ramp(right, length: VoiceMixer.rampSamples)
    }

    /// Applies the channels' gains and writes the sum.
    @_noLocks
    private mutating func write(
        from time: Int, count: Int, at offset: Int, _ outLeft: inout MutableSpan<Float>,
        _ outRight: inout MutableSpan<Float>
    ) {
        for i in 0..<count {
            outLeft[offset + i] = 0
            outRight[offset + i] = 0
        }
        for channel in 0..<16 where sounding & (1 << UInt32(channel)) != 0 {
            let row = channel * VoiceMixer.chunkFrames
            for i in 0..<count {
                outLeft[offset + i] += sums[row + i] * left[channel].value(at: time + i) * masterGain
                outRight[offset + i] += sums[row + i] * right[channel].value(at: time + i) * masterGain
            }
        }
    }
}

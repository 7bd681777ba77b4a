internal import Realtime

/// Changes the sample rate of a sound while it is played: a polyphase filter for a fixed ratio of two whole rates.
///
/// ```swift
/// var resampler = Resampler(from: 48_000, to: 44_100, channels: 2)!
/// let frames = resampler.outputFrames(taking: 256)          // 235 or 236
/// resampler.process(block, frames: 256, into: output, rowFrames: frames)
/// ```
///
/// Output sample n is the band-limited input at the time n / `outputRate` − delay, and is given as soon as every input
/// sample of before its time has come: after N of them ⌈N · outputRate / inputRate⌉. The filter is a sinc in a Kaiser
/// window (J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", 1974), of linear phase:
/// flat to 90 % of the lower Nyquist frequency, and below −100 dB from that frequency on. The delay is 72 samples of the
/// lower rate. The bits do not depend on how the sound is cut into blocks; and as an extra delay is only a later place to
/// read from, a sound that comes in k samples later, with so much less extra that it comes out a whole number of samples
/// later, has the same bits.
///
/// Room: audio; `init` and `deinit` control. For files, `SampleRateConverter` of `MusicIO` is steeper.
@safe public struct Resampler: ~Copyable {
    public let ratio: RateRatio
    public let channels: Int
    /// How late the output is, exactly, in ticks of the ratio.
    public let delayTicks: Int

    /// Of each phase the filter's values, for the oldest sample first.
    private let table: UnsafeMutablePointer<Float>
    private let taps: Int
    /// The extra delay: whole input samples, and the ticks that are left.
    private let extraSamples, extraTicks: Int
    /// Of each channel the last `length` samples, twice over, so that any `taps` of them lie in one piece.
    private let history: UnsafeMutablePointer<Float>
    private let length: Int
    /// Where the next input sample goes.
    private var head = 0
    /// Ticks from the next input sample to the next output sample.
    private var ahead = 0

    /// The filter of two rates with little in common has this many values at most, 16 MB.
    static let maximumTable = 1 << 22

    /// Nil where a rate is below 1 Hz, there is no channel, or the filter would take more than 16 MB, because the two
    /// rates have too little in common.
    ///
    /// - Parameter extraDelayTicks: 0 or more; makes the delay longer, to a whole number of samples for example.
    public init?(from inputRate: Int, to outputRate: Int, channels: Int, extraDelayTicks: Int = 0) {
        guard inputRate > 0, outputRate > 0, channels > 0, extraDelayTicks >= 0 else { return nil }
        let ratio = RateRatio(from: inputRate, to: outputRate)
        let half = Self.delayTicks(of: ratio)
        let needed = 2 * half / ratio.ticksPerInput + 1
        let taps = (needed + 7) / 8 * 8
        guard taps <= Self.maximumTable / ratio.ticksPerInput else { return nil }
        self.ratio = ratio
        self.taps = taps
        self.channels = channels
        delayTicks = half + extraDelayTicks
        extraSamples = extraDelayTicks / ratio.ticksPerInput
        extraTicks = extraDelayTicks % ratio.ticksPerInput
        length = taps + extraSamples + 1
        unsafe table = KaiserSinc(ratio: ratio, half: half).phases(taps: taps)
        unsafe history = .allocate(capacity: 2 * length * channels)
        unsafe history.initialize(repeating: 0, count: 2 * length * channels)
    }

    deinit {
        unsafe table.deallocate()
        unsafe history.deallocate()
    }

    /// The delay of a resampler of that ratio without extra.
    public static func delayTicks(of ratio: RateRatio) -> Int {
        // Samples of the lower rate have more ticks.
        72 * max(ratio.ticksPerInput, ratio.ticksPerOutput)
    }

    /// The delay in output samples.
    public var delaySamples: Double { Double(delayTicks) / Double(ratio.ticksPerOutput) }

    /// How many frames the next `frames` frames give.
    @_noLocks
    public func outputFrames(taking frames: Int) -> Int {
        let ticks = frames * ratio.ticksPerInput - ahead
        return ticks > 0 ? (ticks + ratio.ticksPerOutput - 1) / ratio.ticksPerOutput : 0
    }

    /// Takes frames and gives those whose time has come; returns how many, `outputFrames(taking: frames)`.
    ///
    /// - Parameters:
    ///   - input: `channels` × `frames` samples, one channel after the other.
    ///   - output: where the first channel's samples go; each other's `rowFrames` further on.
    @_noLocks
    public mutating func process(
        _ input: UnsafePointer<Float>, frames: Int, into output: UnsafeMutablePointer<Float>, rowFrames: Int
    ) -> Int {
        let (startHead, startAhead) = (head, ahead)
        var given = 0
        for channel in 0..<channels {
            (head, ahead, given) = (startHead, startAhead, 0)
            let past = unsafe history + 2 * length * channel
            for frame in 0..<frames {
                let sample = unsafe input[channel * frames + frame]
                unsafe past[head] = sample
                unsafe past[head + length] = sample
                head = head + 1 == length ? 0 : head + 1
                while ahead < ratio.ticksPerInput {
                    // The filter's newest sample, and from there on to the output.
                    let isBefore = ahead < extraTicks
                    let newest = extraSamples + (isBefore ? 1 : 0)
                    let phase = ahead - extraTicks + (isBefore ? ratio.ticksPerInput : 0)
                    unsafe output[channel * rowFrames + given] = unsafe Self.sum(
                        table + phase * taps, past + head + length - taps - newest, taps)
                    given += 1
                    ahead += ratio.ticksPerOutput
                }
                ahead -= ratio.ticksPerInput
            }
        }
        return given
    }

    /// As if nothing had come in yet. Wait-free.
    @_noLocks
    public mutating func reset() {
        silence()
        (head, ahead) = (0, 0)
    }

    /// As if only silence had come in so far; what time it is stays. Wait-free.
    @_noLocks
    public mutating func silence() {
        for i in 0..<2 * length * channels { unsafe history[i] = 0 }
    }

    @_noLocks
    private static func sum(
        _ values: UnsafePointer<Float>, _ samples: UnsafePointer<Float>, _ count: Int
    ) -> Float {
        var sums = SIMD8<Float>(repeating: 0)
        let (values, samples) = unsafe (UnsafeRawPointer(values), UnsafeRawPointer(samples))
        var byte = 0
        while byte < count * 4 {
            sums +=
                unsafe values.loadUnaligned(fromByteOffset: byte, as: SIMD8<Float>.self)
                * samples.loadUnaligned(fromByteOffset: byte, as: SIMD8<Float>.self)
            byte += 32
        }
        let four = sums.lowHalf + sums.highHalf
        let two = four.lowHalf + four.highHalf
        return two.x + two.y
    }
}

internal import Inference
internal import Realtime
internal import Signal

/// The way from the sound's rate to the model's and back, for blocks: as many frames come out as go in.
///
/// Room: audio; `init` and `deinit` control.
@safe struct RateBridge: ~Copyable {
    private var there: Resampler
    private var back: RateReturn
    private let channels: Int
    /// `channels` × the block's frames at the model's rate, one channel after the other.
    let taken: UnsafeMutablePointer<Float>

    /// Nil where the model works at the sound's rate. To be deinitialised and deallocated by the caller.
    ///
    /// - Throws: `invalidArgument` where the rates have too little in common.
    static func make(
        _ effect: EffectDescription, _ timing: EffectTiming, _ configuration: EffectConfiguration
    ) throws(InferenceError) -> UnsafeMutablePointer<RateBridge>? {
        guard timing.rates != .equal, let sound = configuration.sampleRate, let model = effect.sampleRate
        else { return nil }
        guard let there = Resampler(from: sound, to: model, channels: effect.channels),
            let back = Resampler(
                from: model, to: sound, channels: effect.channels, extraDelayTicks: timing.extraDelayTicks)
        else {
            throw InferenceError(
                .invalidArgument,
                "\(sound) Hz and the model's \(model) Hz have too little in common to be converted live. Run the sound at "
                    + "\(model) Hz.")
        }
        let bridge = UnsafeMutablePointer<RateBridge>.allocate(capacity: 1)
        unsafe bridge.initialize(to: RateBridge(there, back, blockFrames: configuration.blockFrames))
        return unsafe bridge
    }

    private init(_ there: consuming Resampler, _ back: consuming Resampler, blockFrames: Int) {
        channels = there.channels
        self.back = RateReturn(back, blockFrames: blockFrames)
        let count = channels * self.back.maximumSourceFrames
        unsafe taken = .allocate(capacity: count)
        unsafe taken.initialize(repeating: 0, count: count)
        self.there = there
    }

    deinit { unsafe taken.deallocate() }

    /// Where the block that is heard is put, as `taken`.
    var given: UnsafeMutablePointer<Float> {
        @_noLocks get { unsafe back.source }
    }

    /// Brings a block to the model's rate, into `taken`; returns how many frames it has there.
    @_noLocks
    mutating func take(_ input: Span<Float>, frames: Int) -> Int {
        guard let samples = unsafe trustedAddress(of: input) else { return 0 }
        let count = there.outputFrames(taking: frames)
        return unsafe there.process(samples, frames: frames, into: taken, rowFrames: count)
    }

    /// Brings `count` frames of `given` back, and gives a block.
    @_noLocks
    mutating func give(_ count: Int, _ output: inout MutableSpan<Float>, frames: Int) {
        back.take(count)
        for channel in 0..<channels { back.give(channel, &output, at: channel * frames, frames: frames) }
        back.end(frames: frames)
    }

    /// As if nothing had come yet.
    @_noLocks
    mutating func reset() {
        there.reset()
        back.reset()
    }
}

/// Where a span's samples are; nil where it is empty. Closures over what uses them would count references: whoever asks
/// has the span as a parameter, and keeps the address no longer than that call.
@_noLocks
func trustedAddress(of span: Span<Float>) -> UnsafePointer<Float>? {
    unsafe span.withUnsafeBufferPointer { $0.baseAddress }
}

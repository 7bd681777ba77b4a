public import Inference
public import Realtime
public import Streaming

/// A model that a device's sound is sent through.
///
/// A model of one channel is run for each channel of the device, with states of its own; one of several takes as many.
/// Another model can take its place while it is played: see `EffectSlot`.
///
/// Room: control.
@safe public final class LiveEffect: Sendable {
    public let slot: EffectSlot
    /// Of the device, Hz.
    public let sampleRate: Int
    let levels = Levels()

    /// Starts the workers.
    ///
    /// - Parameter configuration: `sampleRate` is replaced by the one given, and `streams` follows from the channels.
    /// - Throws: what `EffectSlot` throws.
    public init(
        _ model: EffectModel, channels: Int, sampleRate: Int, configuration: EffectConfiguration
    ) throws(InferenceError) {
        var configuration = configuration
        configuration.sampleRate = sampleRate
        slot = try EffectSlot(model, channels: channels, configuration)
        self.sampleRate = sampleRate
    }

    public var latency: Latency { slot.latency }
    /// Of the device.
    public var channels: Int { slot.channels }
    public var maximumBlockFrames: Int { slot.maximumBlockFrames }

    /// What has happened since the start, of all streams and models together.
    public var status: LiveEffectStatus {
        let played = slot.status
        var status = LiveEffectStatus(
            missedFrames: played.missedFrames, overloads: played.overloads, lateHops: played.lateHops,
            skippedHops: played.skippedHops)
        status.slack = slot.slack
        (status.inputLevel, status.outputLevel) = levels.take()
        return status
    }

    /// The most of what came in and went out since it was last asked. What happens in the moment of asking may be lost.
    final class Levels: Sendable {
        private let input = PublishedValue()
        private let output = PublishedValue()

        @_noLocks
        func note(input inputPeak: Float, output outputPeak: Float) {
            // Bit patterns of positive numbers are in their order.
            let (a, b) = (Int(inputPeak.bitPattern), Int(outputPeak.bitPattern))
            if a > input.read() { input.publish(a) }
            if b > output.read() { output.publish(b) }
        }

        func take() -> (Float, Float) {
            let levels = (Float(bitPattern: UInt32(input.read())), Float(bitPattern: UInt32(output.read())))
            input.publish(0)
            output.publish(0)
            return levels
        }
    }
}

/// What has happened to an effect on a device. Each is counted by itself: they are not of one instant.
public struct LiveEffectStatus: Sendable, Equatable {
    /// Frames at the model's rate that were concealed, and the stretches of them; of the stream with the most.
    public var missedFrames = 0
    public var overloads = 0
    /// Of all streams.
    public var lateHops = 0
    public var skippedHops = 0
    /// How long before the block that plays its beginning each hop was there; of the newest model.
    public var slack: Slack?
    /// The largest magnitudes since the last status, 1 = full scale.
    public var inputLevel: Float = 0
    public var outputLevel: Float = 0
}

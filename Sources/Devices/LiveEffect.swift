public import Inference
internal import Realtime
public import Streaming

/// A model that a device's sound is sent through.
///
/// A model of one channel is run for each channel of the device, with states of its own; one of several takes as many.
///
/// Room: control.
@safe public final class LiveEffect: Sendable {
    public let engine: AsyncInferenceEngine
    /// Of the device.
    public let channels: Int
    /// Of the device, Hz.
    public let sampleRate: Int
    public let maximumBlockFrames: Int
    let levels = Levels()

    /// Starts the workers.
    ///
    /// - Parameter configuration: `sampleRate` is replaced by the one given, and `streams` follows from the channels.
    /// - Throws: what `AsyncInferenceEngine` throws, and `invalidArgument` for channels that the model does not have.
    public init(
        _ model: EffectModel, channels: Int, sampleRate: Int, configuration: EffectConfiguration
    ) throws(InferenceError) {
        var configuration = configuration
        configuration.sampleRate = sampleRate
        configuration.streams = try model.streams(forChannels: channels)
        engine = try AsyncInferenceEngine(model, configuration)
        self.channels = channels
        self.sampleRate = sampleRate
        maximumBlockFrames = configuration.blockFrames
    }

    public var latency: Latency { engine.latency }

    /// What has happened since the start, of all streams together.
    public var status: LiveEffectStatus {
        var status = LiveEffectStatus()
        for stream in engine.streams {
            let one = stream.status
            status.missedFrames = max(status.missedFrames, one.missedFrames)
            status.overloads = max(status.overloads, one.overloads)
            status.lateHops += one.lateHops
            status.skippedHops += one.skippedHops
        }
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
    /// The largest magnitudes since the last status, 1 = full scale.
    public var inputLevel: Float = 0
    public var outputLevel: Float = 0
}

extension EffectModel {
    /// How many streams so many channels of a device or a file are.
    ///
    /// - Throws: `invalidArgument` where the model has several channels, and not as many.
    func streams(forChannels channels: Int) throws(InferenceError) -> Int {
        guard 1...16 ~= channels, description.channels == 1 || description.channels == channels else {
            throw InferenceError(
                .invalidArgument,
                "The model has \(description.channels) channels, and the sound \(channels). Take sound of "
                    + (description.channels == 1 ? "1 to 16." : "\(description.channels) channels."))
        }
        return description.channels == 1 ? channels : 1
    }
}

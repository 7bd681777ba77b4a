public import NeuralSynth
public import Player
internal import Realtime
internal import Streaming

/// The deterministic double of an audio device: it runs the inference that is due, then `process`, block by block,
/// as fast as it can. Nothing is ever late, and the latency is trimmed from the start.
///
/// The result does not depend on the block's size.
///
/// Room: control.
public struct OfflineRenderer {
    public let player: Player
    public let blockFrames: Int

    /// - Parameters:
    ///   - blockFrames: frames per call of `process`, 1…4096; a larger block is served in several calls, so that what
    ///     waits between the rooms stays bounded.
    ///   - configuration: `maximumBlockFrames` is replaced by `blockFrames`.
    /// - Throws: `NeuralSynthError`.
    public init(
        instruments: [NeuralInstrument], configuration: NeuralSynthConfiguration, blockFrames: Int
    ) throws(NeuralSynthError) {
        self.blockFrames = min(max(blockFrames, 1), 4096)
        var configuration = configuration
        configuration.maximumBlockFrames = self.blockFrames
        player = Player(
            try NeuralSoundSynth(
                instruments: instruments, configuration: configuration,
                latencySamples: Latency.buffering(
                    blockFrames: self.blockFrames, sliceSamples: configuration.sliceSamples)))
    }

    /// Plays `messages` and hands out the sound, block by block.
    ///
    /// At `endSample` every note that still sounds is let go; the sound goes on for `tailSamples` after that.
    ///
    /// - Parameters:
    ///   - messages: in order of their samples; none before 0.
    ///   - write: takes the left and the right channel of the next frames; what it throws ends the rendering.
    public func render(
        _ messages: some Sequence<ScheduledMessage>, endSample: Int, tailSamples: Int,
        write: (_ left: Span<Float>, _ right: Span<Float>) throws -> Void
    ) throws {
        let total = endSample + tailSamples
        var source = messages.makeIterator()
        var next = source.next()
        var released = false
        var left = [Float](repeating: 0, count: blockFrames)
        var right = left
        var block: [TimedMessage] = []
        var position = 0
        var toTrim = player.latencySamples
        while position < total + player.latencySamples {
            block.removeAll(keepingCapacity: true)
            while let message = next, message.sample < position + blockFrames, message.sample < endSample {
                block.append(
                    TimedMessage(offsetFrames: max(0, message.sample - position), message: message.message))
                next = source.next()
            }
            if !released, endSample < position + blockFrames {
                released = true
                block += ChannelMessage.lettingGo.map {
                    TimedMessage(offsetFrames: max(0, endSample - position), message: $0)
                }
            }
            try player.renderer.render(until: position)
            var leftSpan = left.mutableSpan
            var rightSpan = right.mutableSpan
            player.process(block.span, left: &leftSpan, right: &rightSpan)
            let skip = min(toTrim, blockFrames)
            toTrim -= skip
            let end = min(blockFrames, total + player.latencySamples - position)
            if skip < end { try write(left.span.extracting(skip..<end), right.span.extracting(skip..<end)) }
            position += blockFrames
        }
    }
}

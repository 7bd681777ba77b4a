public import Devices
public import NeuralSynth
internal import Realtime

/// A list of messages to play, and a way to play it.
public struct Song: Sendable {
    public var messages: [ScheduledMessage] = []

    public init() {}

    public mutating func add(_ sample: Int, _ status: UInt8, _ data1: UInt8, _ data2: UInt8 = 0) {
        messages.append(
            ScheduledMessage(
                sample: sample, message: ChannelMessage(status: status, data1: data1, data2: data2)))
    }

    public mutating func note(
        _ key: UInt8, velocity: UInt8 = 100, from start: Int, to end: Int, channel: UInt8 = 0
    ) {
        add(start, 0x90 | channel, key, velocity)
        add(end, 0x80 | channel, key)
    }

    /// The messages by their samples; those of one sample as they were added.
    var inOrder: [ScheduledMessage] {
        messages.enumerated().sorted { ($0.element.sample, $0.offset) < ($1.element.sample, $1.offset) }.map(
            \.element)
    }

    /// Both channels of the sound, from sample 0 to `endSample + tailSamples`.
    public func render(
        _ instruments: [NeuralInstrument], configuration: NeuralSynthConfiguration = .init(),
        blockFrames: Int = 512,
        endSample: Int, tailSamples: Int = 0
    ) throws -> (left: [Float], right: [Float]) {
        let renderer = try OfflineRenderer(
            instruments: instruments, configuration: configuration, blockFrames: blockFrames)
        var left: [Float] = []
        var right: [Float] = []
        try renderer.render(inOrder, endSample: endSample, tailSamples: tailSamples) { l, r in
            for i in l.indices {
                left.append(l[i])
                right.append(r[i])
            }
        }
        return (left, right)
    }
}

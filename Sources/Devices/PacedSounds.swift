internal import CRealtime
public import Player
public import Realtime
internal import Signal
public import Streaming

/// Noise through all streams of an engine.
public struct PacedEffect: PacedSound {
    private let engine: AsyncInferenceEngine
    private let blockFrames: Int
    private let input: [Float]
    private var output: [Float]

    public init(_ engine: AsyncInferenceEngine, blockFrames: Int) {
        self.engine = engine
        self.blockFrames = blockFrames
        let noise = CounterNoise(seed: 0x5EED)
        input = (0..<engine.channels * blockFrames).map { 0.1 * noise.value(at: UInt64($0)) }
        output = Array(repeating: 0, count: input.count)
    }

    public mutating func play(_ times: inout TimeHistogram) {
        for stream in engine.streams {
            let before = rt_nanoseconds()
            Self.process(stream, input, &output, frames: blockFrames)
            times.add(nanoseconds: Int(rt_nanoseconds() - before))
        }
    }

    private static func process(
        _ stream: InferenceStream, _ input: [Float], _ output: inout [Float], frames: Int
    ) {
        var span = output.mutableSpan
        stream.process(input.span, &span, frames: frames)
    }

    public var slack: Slack { engine.slack }
    public var missedFrames: Int { engine.streams.reduce(0) { $0 + $1.status.missedFrames } }
    public var lateSlices: Int { engine.streams.reduce(0) { $0 + $1.status.lateHops } }
    public var skippedSlices: Int { engine.streams.reduce(0) { $0 + $1.status.skippedHops } }
}

/// Messages to a live player, each in the block and at the frame of its time.
public struct PacedPlayer: PacedSound {
    private let live: LivePlayer
    private var messages: ArraySlice<ScheduledMessage>
    private var block: [TimedMessage] = []
    private var left, right: [Float]
    private var position = 0

    /// - Parameter messages: in order.
    public init(_ live: LivePlayer, blockFrames: Int, messages: [ScheduledMessage]) {
        self.live = live
        self.messages = messages[...]
        (left, right) = (Array(repeating: 0, count: blockFrames), Array(repeating: 0, count: blockFrames))
        block.reserveCapacity(256)
    }

    public mutating func play(_ times: inout TimeHistogram) {
        block.removeAll(keepingCapacity: true)
        while let next = messages.first, next.sample < position + left.count {
            block.append(TimedMessage(offsetFrames: max(0, next.sample - position), message: next.message))
            messages.removeFirst()
        }
        position += left.count
        let before = rt_nanoseconds()
        Self.process(live.player, block, &left, &right)
        times.add(nanoseconds: Int(rt_nanoseconds() - before))
    }

    private static func process(
        _ player: Player, _ block: [TimedMessage], _ left: inout [Float], _ right: inout [Float]
    ) {
        var leftSpan = left.mutableSpan
        var rightSpan = right.mutableSpan
        player.process(block.span, left: &leftSpan, right: &rightSpan)
    }

    public var slack: Slack { live.status.slack }
    public var missedFrames: Int { live.status.missedFrames }
    public var lateSlices: Int { live.status.lateSlices }
    public var skippedSlices: Int { live.status.skippedSlices }
}

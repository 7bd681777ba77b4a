internal import Devices
public import NeuralSynth
public import Player
internal import Realtime

/// A device that plays a song block by block, as fast as it is let.
public struct LiveSession: ~Copyable {
    public let live: LivePlayer
    /// Everything that was played, latency and all.
    public private(set) var left: [Float] = []
    public private(set) var right: [Float] = []
    // In order.
    private var messages: ArraySlice<ScheduledMessage>
    private let isThreaded: Bool

    public init(
        _ instruments: [NeuralInstrument], configuration: NeuralSynthConfiguration, live: LiveConfiguration,
        song: Song, isThreaded: Bool = true
    ) throws {
        self.live = try LivePlayer(
            instruments: instruments, configuration: configuration, live: live, isThreaded: isThreaded)
        self.isThreaded = isThreaded
        messages = song.inOrder[...]
    }

    /// How many frames have been played.
    public var position: Int { left.count }

    /// Plays one block. The worker has rendered what it then may, if it is waited for; where it has no thread, it has
    /// done nothing at all otherwise.
    public mutating func play(frames: Int, waiting: Bool = true) throws {
        let start = position
        var block: [TimedMessage] = []
        while let next = messages.first, next.sample < start + frames {
            block.append(TimedMessage(offsetFrames: max(0, next.sample - start), message: next.message))
            messages.removeFirst()
        }
        var (l, r) = ([Float](repeating: .nan, count: frames), [Float](repeating: .nan, count: frames))
        var leftSpan = l.mutableSpan
        var rightSpan = r.mutableSpan
        live.player.process(block.span, left: &leftSpan, right: &rightSpan)
        left += l
        right += r
        if waiting { try waitForTheWorker() }
    }

    private func waitForTheWorker() throws {
        if !isThreaded { return try live.renderWhatIsDue() }
        live.waitForWorker()
    }
}

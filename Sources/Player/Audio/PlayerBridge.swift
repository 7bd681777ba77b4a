internal import Realtime
internal import Signal

/// What lies between a player and a host of another rate: messages on their way there, sound on its way back.
///
/// The host's frame t is the player's sample ⌈t L / M⌉, whatever the blocks, where L / M is the host's rate to the
/// player's. Where the host is quicker, a message may have to wait for a block that has its sample. How much later the
/// sample is than the frame, between nothing and less than a sample, is taken to be half a sample in the latency
/// (`HostTiming`): so a message is heard within half a sample of the player.
///
/// Room: audio; `init` and `deinit` control.
@safe struct PlayerBridge: ~Copyable {
    /// What a device may bring in one block, twice.
    static var messageCapacity: Int { 8192 }

    private let rates: RateRatio
    private var back: RateReturn
    /// In order of their offsets at the player's rate: those that have waited, then the block's.
    private let messages: UnsafeMutablePointer<TimedMessage>
    private var messageCount = 0
    private var dueCount = 0
    /// The host's frame that the next block begins with.
    private var position = 0
    /// The block's frames at the player's rate; there may be none.
    private(set) var frames = 0
    /// Messages for which there was no room.
    private(set) var refused = 0

    /// - Parameters:
    ///   - back: of two channels, from the player's rate to the host's.
    ///   - rates: from the host's rate to the player's.
    init(_ back: consuming RateReturn, rates: RateRatio) {
        self.rates = rates
        self.back = back
        unsafe messages = .allocate(capacity: Self.messageCapacity)
        unsafe messages.initialize(
            repeating: TimedMessage(offsetFrames: 0, message: ChannelMessage(status: 0, data1: 0, data2: 0)),
            count: Self.messageCapacity)
    }

    deinit { unsafe messages.deallocate() }

    /// Takes the messages of a block of the host.
    @_noLocks
    mutating func begin(_ incoming: Span<TimedMessage>, frames hostFrames: Int) {
        let start = rates.outputs(after: position)
        frames = rates.outputs(after: position + hostFrames) - start
        for i in 0..<incoming.count {
            if messageCount == Self.messageCapacity {
                refused += 1
                continue
            }
            var message = incoming[i]
            message.offsetFrames = rates.outputs(after: position + message.offsetFrames) - start
            unsafe messages[messageCount] = message
            messageCount += 1
        }
        dueCount = 0
        while dueCount < messageCount, unsafe messages[dueCount].offsetFrames < frames { dueCount += 1 }
        position += hostFrames
    }

    /// The block's messages at the player's rate.
    var due: UnsafeBufferPointer<TimedMessage> {
        @_noLocks get { unsafe UnsafeBufferPointer(start: messages, count: dueCount) }
    }

    /// Where the player puts its block: the left channel's `frames`, then the right one's.
    var source: UnsafeMutablePointer<Float> {
        @_noLocks get { unsafe back.source }
    }

    /// Gives the host's block of what the player has put into `source`.
    @_noLocks
    mutating func end(left: inout MutableSpan<Float>, right: inout MutableSpan<Float>) {
        let hostFrames = left.count
        back.take(frames)
        back.give(0, &left, at: 0, frames: hostFrames)
        back.give(1, &right, at: 0, frames: hostFrames)
        back.end(frames: hostFrames)
        for i in dueCount..<messageCount {
            var waiting = unsafe messages[i]
            waiting.offsetFrames -= frames
            unsafe messages[i - dueCount] = waiting
        }
        messageCount -= dueCount
        dueCount = 0
    }

    /// Forgets what is on its way, in both directions; time goes on. Wait-free.
    @_noLocks
    mutating func silence() {
        back.silence()
        messageCount = 0
    }
}

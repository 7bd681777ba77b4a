internal import CRealtime
internal import Player
internal import Realtime
internal import Signal

/// The audio half of an instance: messages that wait, blocks of any length in pieces that the player takes, the volume.
///
/// Room: audio; `init`, `deinit` and `start` control, while audio is not running.
@safe struct BlockPlayer: ~Copyable {
    /// Messages that may wait at once.
    static var messageCapacity: Int { 1024 }
    /// The most frames that the player is given at once: the sooner the worker hears of them.
    static var pieceFrames: Int { 1024 }
    /// The volume moves in so many frames.
    private static var rampFrames: Int { 256 }

    private var player: UnsafeRawPointer?
    private(set) var latencyFrames: UInt32 = 0
    private var maximumFrames = 0
    /// In order of their offsets, which count from the start of the block that is played, or of the next.
    private let messages: UnsafeMutablePointer<TimedMessage>
    private var messageCount = 0
    /// Of those, how many the block has already had.
    private var messagesPlayed = 0
    /// Two channels, for those that the host does not want.
    private let unwanted: UnsafeMutablePointer<Float>
    private var decibels: Float = 0
    private var volume = Ramp(1, length: BlockPlayer.rampFrames)
    /// The frames played since `start`.
    private var position = 0

    init() {
        unsafe messages = .allocate(capacity: Self.messageCapacity)
        unsafe messages.initialize(
            repeating: TimedMessage(offsetFrames: 0, message: ChannelMessage(status: 0, data1: 0, data2: 0)),
            count: Self.messageCapacity)
        unsafe unwanted = .allocate(capacity: 2 * Self.pieceFrames)
        unsafe unwanted.initialize(repeating: 0, count: 2 * Self.pieceFrames)
    }

    deinit {
        unsafe messages.deallocate()
        unsafe unwanted.deallocate()
    }

    /// Plays `player`, which whoever calls keeps alive, from its beginning.
    mutating func start(_ player: Player, latencyFrames: Int, decibels: Float) {
        unsafe self.player = UnsafeRawPointer(Unmanaged.passUnretained(player).toOpaque())
        self.latencyFrames = UInt32(latencyFrames)
        maximumFrames = player.maximumBlockFrames
        messageCount = 0
        position = 0
        self.decibels = decibels
        volume = Ramp(Self.gain(decibels), length: Self.rampFrames)
    }

    var isPrepared: Bool {
        @_noLocks get { unsafe player != nil }
    }

    /// Whether there is nothing but silence any more.
    var hasFailed: Bool {
        @_noLocks get {
            guard let player = unsafe player else { return false }
            return unsafe Unmanaged<Player>.fromOpaque(player)._withUnsafeGuaranteedRef {
                $0.rendererHasFailed
            }
        }
    }

    /// Silences everything, and forgets the messages that wait.
    @_noLocks
    mutating func reset() {
        messageCount = 0
        guard let player = unsafe player else { return }
        unsafe Unmanaged<Player>.fromOpaque(player)._withUnsafeGuaranteedRef { $0.reset() }
    }

    /// Adds a message for the frame `offset` of the next block, behind those of the same frame; false where there is no
    /// room.
    @_noLocks
    mutating func add(offset: Int, _ message: ChannelMessage) -> Bool {
        if messageCount == Self.messageCapacity { return false }
        var place = messageCount
        while place > 0, unsafe messages[place - 1].offsetFrames > offset {
            unsafe messages[place] = messages[place - 1]
            place -= 1
        }
        unsafe messages[place] = TimedMessage(offsetFrames: offset, message: message)
        messageCount += 1
        return true
    }

    /// Plays as much of a block of `frames` as the player takes at once, from the frame `done` on; how much that was.
    /// After the last piece comes `endBlock`.
    @_noLocks
    mutating func playPiece(
        _ left: UnsafeMutablePointer<Float>?, _ right: UnsafeMutablePointer<Float>?, from done: Int,
        of frames: Int, decibels: Float
    ) -> Int {
        guard let player = unsafe player else { return frames - done }
        let region = RealtimeRegion.enter()
        let count = frames - done < maximumFrames ? frames - done : maximumFrames
        let due = unsafe messages + messagesPlayed
        var dueCount = 0
        while messagesPlayed < messageCount, unsafe messages[messagesPlayed].offsetFrames < done + count {
            unsafe messages[messagesPlayed].offsetFrames -= done
            messagesPlayed += 1
            dueCount += 1
        }
        let outLeft = unsafe left.map { unsafe $0 + done } ?? unwanted
        let outRight = unsafe right.map { unsafe $0 + done } ?? unwanted + Self.pieceFrames
        let block = unsafe UnsafeBufferPointer(start: due, count: dueCount)
        // The spans are made within: one that a closure captures is counted.
        unsafe Unmanaged<Player>.fromOpaque(player)._withUnsafeGuaranteedRef { player in
            var leftSpan = unsafe MutableSpan(_unsafeStart: outLeft, count: count)
            var rightSpan = unsafe MutableSpan(_unsafeStart: outRight, count: count)
            unsafe player.process(block.span, left: &leftSpan, right: &rightSpan)
        }
        unsafe applyVolume(decibels, outLeft, outRight, count: count)
        position += count
        region.leave()
        return count
    }

    /// What has not been played yet waits for the next block.
    @_noLocks
    mutating func endBlock(frames: Int) {
        for i in messagesPlayed..<messageCount {
            unsafe messages[i - messagesPlayed] = messages[i]
            unsafe messages[i - messagesPlayed].offsetFrames -= frames
        }
        messageCount -= messagesPlayed
        messagesPlayed = 0
    }

    @_noLocks
    private mutating func applyVolume(
        _ decibels: Float, _ left: UnsafeMutablePointer<Float>, _ right: UnsafeMutablePointer<Float>,
        count: Int
    ) {
        if decibels != self.decibels {
            self.decibels = decibels
            volume.move(to: BlockPlayer.gain(decibels), at: position)
        }
        for i in 0..<count {
            let gain = volume.value(at: position + i)
            unsafe left[i] *= gain
            unsafe right[i] *= gain
        }
    }

    /// Linear; −80 dB is silence.
    @_noLocks
    private static func gain(_ decibels: Float) -> Float {
        decibels <= -80 ? 0 : rt_pow(10, decibels / 20)
    }
}

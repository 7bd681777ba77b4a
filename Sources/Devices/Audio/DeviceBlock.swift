internal import CRealtime
internal import Realtime
internal import Signal

/// What a device does in each block besides playing it: messages that come in and those of a song are brought together,
/// and the end fades.
///
/// The outputs' addresses are put into `outputs` in every block, before `complete`.
///
/// Room: `begin`, `add`, `complete`, `end` audio; `init`, `deinit` and the counters control.
// Sendable: what audio alone changes is audio's; the rest is made for two threads.
@safe struct DeviceBlock: ~Copyable, @unchecked Sendable {
    static var fadeFrames: Int { 2400 }
    static var messageCapacity: Int { 4096 }

    let outputs: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>
    let outputCount: Int
    private let maximumFrames: Int
    private let nanosecondsPerFrame: Double
    private let messages: UnsafeMutablePointer<TimedMessage>
    private var count = 0
    private var position = 0
    private var fade = Fade.never
    private var began: Int64 = 0

    /// Control pushes, audio pops.
    let scheduled = EventQueue<ScheduledMessage>(
        minimumCapacity: 1 << 14,
        blank: ScheduledMessage(sample: 0, message: ChannelMessage(status: 0, data1: 0, data2: 0)))
    /// Other than 0 when the sound is to fade out.
    let stopping = PublishedValue()
    let frames = Counter()
    let ignored = Counter()
    let refused = Counter()
    /// Of the last block and the longest: parts in a million of the block's duration.
    let load = PublishedValue()
    let worstLoad = Counter()
    let hasFaded = PublishedValue()

    init(maximumFrames: Int, sampleRate: Int, outputs outputCount: Int) {
        self.maximumFrames = maximumFrames
        self.outputCount = outputCount
        unsafe outputs = .allocate(capacity: outputCount)
        unsafe outputs.initialize(repeating: nil, count: outputCount)
        nanosecondsPerFrame = 1e9 / Double(sampleRate)
        unsafe messages = .allocate(capacity: Self.messageCapacity)
        unsafe messages.initialize(
            repeating: TimedMessage(offsetFrames: 0, message: ChannelMessage(status: 0, data1: 0, data2: 0)),
            count: Self.messageCapacity)
    }

    deinit {
        unsafe messages.deallocate()
        unsafe outputs.deallocate()
    }

    /// Begins a block.
    @_noLocks
    mutating func begin() {
        began = rt_nanoseconds()
        count = 0
    }

    /// Adds a message that came in at `offset` frames of the block; they come in order. Before it come those of the
    /// song that are due.
    @_noLocks
    mutating func add(offset: Int, status: UInt8, data1: UInt8, data2: UInt8) {
        addScheduled(before: position + offset + 1)
        append(
            TimedMessage(
                offsetFrames: offset, message: ChannelMessage(status: status, data1: data1, data2: data2)))
    }

    @_noLocks
    private mutating func addScheduled(before end: Int) {
        while let next = scheduled.peek() {
            if next.sample >= end { return }
            let late = next.sample < position
            append(TimedMessage(offsetFrames: late ? 0 : next.sample - position, message: next.message))
            _ = scheduled.pop()
        }
    }

    @_noLocks
    private mutating func append(_ message: TimedMessage) {
        if count == Self.messageCapacity {
            ignored.add(1)
            return
        }
        var message = message
        // A song's message that was due earlier is still in its turn.
        if count > 0 {
            let last = unsafe messages[count - 1].offsetFrames
            if message.offsetFrames < last { message.offsetFrames = last }
        }
        unsafe messages[count] = message
        count += 1
    }

    /// Completes the block's messages; false, and silence, where the block is larger than was agreed.
    @_noLocks
    mutating func complete(frames: Int) -> Bool {
        if frames > maximumFrames {
            for index in 0..<outputCount {
                guard let output = unsafe outputs[index] else { continue }
                for i in 0..<frames { unsafe output[i] = 0 }
            }
            refused.add(1)
            return false
        }
        addScheduled(before: position + frames)
        return true
    }

    /// The block's messages, in order.
    var blockMessages: UnsafeBufferPointer<TimedMessage> {
        @_noLocks get { unsafe UnsafeBufferPointer(start: messages, count: count) }
    }

    /// Ends a block that has been played into the outputs.
    @_noLocks
    mutating func end(frames: Int) {
        if stopping.read() != 0 { fadeOut(frames: frames) }
        position += frames
        self.frames.add(frames)
        let took = Double(rt_nanoseconds() - began) / (nanosecondsPerFrame * Double(frames))
        let share = took < 1000 ? Int(took * 1e6) : 1_000_000_000
        load.publish(share)
        worstLoad.raise(to: share)
    }

    @_noLocks
    private mutating func fadeOut(frames: Int) {
        if fade.start == .max { fade = Fade(start: position, length: Self.fadeFrames) }
        for index in 0..<outputCount {
            guard let output = unsafe outputs[index] else { continue }
            for i in 0..<frames { unsafe output[i] *= fade.gain(at: position + i) }
        }
        if position + frames >= fade.end { hasFaded.publish(1) }
    }
}

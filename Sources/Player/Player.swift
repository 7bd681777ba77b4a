internal import Inference
public import NeuralSynth
public import Realtime
internal import Streaming
internal import Synchronization

/// What happened while a `Player` played.
public struct PlayerCounters: Sendable, Equatable {
    /// The most notes that sounded at once.
    public var voicesPeak: Int
    /// Notes for which there was no room.
    public var droppedNotes: Int
    /// Frames that the worker did not deliver in time.
    public var missedFrames: Int
}

/// A block that was played, and what had happened by its end.
struct BlockStatus: BitwiseCopyable, Sendable {
    var voices: Int
    var voicesPeak: Int
    var level: Float
    var droppedNotes: Int
    var missedFrames: Int
    var position: Int

    @_noLocks
    init(
        voices: Int = 0, voicesPeak: Int = 0, level: Float = 0, droppedNotes: Int = 0, missedFrames: Int = 0,
        position: Int = 0
    ) {
        self.voices = voices
        self.voicesPeak = voicesPeak
        self.level = level
        self.droppedNotes = droppedNotes
        self.missedFrames = missedFrames
        self.position = position
    }

    /// And what happened in another instrument.
    @_noLocks
    mutating func add(_ other: BlockStatus) {
        voices += other.voices
        if other.voicesPeak > voicesPeak { voicesPeak = other.voicesPeak }
        droppedNotes += other.droppedNotes
        missedFrames += other.missedFrames
    }
}

/// An instrument behind one `process` call: what a device, a plugin or the offline renderer runs.
///
/// Room: `process`, `reset` and `rendererHasFailed` audio (one thread); everything else control.
@safe public final class Player {
    // Audio's alone. The check that no two accesses overlap would allocate: its record is thread-local, and in a library
    // that is opened at run time a thread gets that memory when it first asks for it.
    @exclusivity(unchecked) private var current: Unmanaged<PlayedInstrument>
    @exclusivity(unchecked) private var sound: UnsafeMutablePointer<SoundingInstrument>
    /// Whose place the current one has taken, while it is still heard.
    @exclusivity(unchecked) private var leaving: Unmanaged<PlayedInstrument>?
    @exclusivity(unchecked) private var leavingSound: UnsafeMutablePointer<SoundingInstrument>
    /// What happened in those that are over.
    @exclusivity(unchecked) private var past = BlockStatus()
    /// Both channels of what is leaving.
    private let rest: UnsafeMutablePointer<Float>
    /// The event time of the next block's first frame.
    @exclusivity(unchecked) private var position = 0
    /// Where the host has a rate of its own; and its frames that have been played.
    private let bridge: UnsafeMutablePointer<PlayerBridge>?
    @exclusivity(unchecked) private var hostPosition = 0
    /// What was played last, for one thread of the control room.
    let status = Mailbox(BlockStatus())
    let succession: Succession<PlayedInstrument>
    /// Of those that are over.
    private let pastLateness: Mutex<RenderLateness>
    /// The worker half of the newest instrument.
    public var renderer: NeuralVoiceRenderer { newest.renderer }
    /// Samples from a message to its sound, at the host's rate.
    public let latencySamples: Int
    /// Of what `process` takes and gives, the host's: Hz.
    public let sampleRate: Int
    /// The most frames that `process` takes.
    public let maximumBlockFrames: Int

    /// Whoever calls `process` has rendered what is due. At the instruments' rate.
    public convenience init(_ synth: consuming NeuralSoundSynth) {
        do throws(InferenceError) {
            unsafe try self.init(synth, .caller)
        } catch {
            fatalError("\(error)")  // only a thread can fail to start
        }
    }

    /// - Parameters:
    ///   - host: what `synth` has been made for; nil for its own rate.
    ///   - bridge: from the instruments' rate to the host's, where they differ; the player frees it.
    /// - Throws: `outOfResources` where the system starts no more threads.
    init(
        _ synth: consuming NeuralSoundSynth, _ worker: PlayedInstrument.Worker, host: HostTiming? = nil,
        bridge: UnsafeMutablePointer<PlayerBridge>? = nil
    ) throws(InferenceError) {
        let own = synth.maximumBlockFrames
        pastLateness = Mutex(RenderLateness(sampleRate: synth.sampleRate))
        latencySamples = host?.latency.total ?? synth.latencySamples
        sampleRate = host?.hostRate ?? synth.sampleRate
        maximumBlockFrames = host?.hostBlockFrames ?? own
        unsafe self.bridge = unsafe bridge
        do throws(InferenceError) {
            succession = Succession(try PlayedInstrument(synth, worker))
        } catch {
            unsafe bridge?.deinitialize(count: 1)
            unsafe bridge?.deallocate()
            throw error
        }
        let first = succession.objects()[0]
        unsafe current = .passRetained(first)
        unsafe (sound, leavingSound) = unsafe (first.sound, first.sound)
        unsafe rest = .allocate(capacity: 2 * own)
        unsafe rest.initialize(repeating: 0, count: 2 * own)
    }

    /// Audio must have stopped.
    deinit {
        unsafe current.release()
        unsafe leaving?.release()
        unsafe rest.deallocate()
        unsafe bridge?.deinitialize(count: 1)
        unsafe bridge?.deallocate()
    }

    /// Acts on the messages of one block and fills both outputs.
    ///
    /// - Parameters:
    ///   - messages: in order of their offsets, each below the block's length.
    ///   - left, right: equally long, at most `maximumBlockFrames`.
    @_noLocks
    public func process(
        _ messages: Span<TimedMessage>, left: inout MutableSpan<Float>, right: inout MutableSpan<Float>
    ) {
        let region = RealtimeRegion.enter()
        unsafe hostPosition += left.count
        if let bridge = unsafe bridge {
            unsafe bridge.pointee.begin(messages, frames: left.count)
            let (due, count) = unsafe (bridge.pointee.due, bridge.pointee.frames)
            if count > 0 {
                var ownLeft = unsafe MutableSpan(_unsafeStart: bridge.pointee.source, count: count)
                var ownRight = unsafe MutableSpan(_unsafeStart: bridge.pointee.source + count, count: count)
                unsafe play(due.span, left: &ownLeft, right: &ownRight)
            }
            unsafe bridge.pointee.end(left: &left, right: &right)
        } else {
            play(messages, left: &left, right: &right)
        }
        region.leave()
    }

    /// Plays a block at the instruments' rate.
    @_noLocks
    private func play(
        _ messages: Span<TimedMessage>, left: inout MutableSpan<Float>, right: inout MutableSpan<Float>
    ) {
        if unsafe leaving == nil { takeNext() }
        unsafe sound.pointee.process(messages, left: &left, right: &right)
        if unsafe leaving != nil { addLeaving(messages, &left, &right) }
        unsafe position += left.count
        var level: Float = 0
        for i in 0..<left.count {
            if left[i].magnitude > level { level = left[i].magnitude }
            if right[i].magnitude > level { level = right[i].magnitude }
        }
        var block = unsafe sound.pointee.status
        if unsafe leaving != nil { unsafe block.add(leavingSound.pointee.status) }
        unsafe block.add(past)
        block.level = level
        unsafe block.position = hostPosition
        if let bridge = unsafe bridge { unsafe block.droppedNotes += bridge.pointee.refused }
        status.leave(block)
    }

    /// Lets the instrument that waits take the place of the current one.
    @_noLocks
    private func takeNext() {
        guard let taken = unsafe succession.take() else { return }
        let new = unsafe taken._withUnsafeGuaranteedRef { unsafe $0.sound }
        unsafe (leaving, leavingSound) = unsafe (current, sound)
        unsafe (current, sound) = unsafe (taken, new)
        if unsafe position > 0 {
            unsafe new.pointee.takeOver(from: &leavingSound.pointee)
        } else {
            endLeaving()
        }
    }

    @_noLocks
    private func addLeaving(
        _ messages: Span<TimedMessage>, _ left: inout MutableSpan<Float>, _ right: inout MutableSpan<Float>
    ) {
        let frames = left.count
        var l = unsafe MutableSpan(_unsafeStart: rest, count: frames)
        var r = unsafe MutableSpan(_unsafeStart: rest + frames, count: frames)
        unsafe leavingSound.pointee.process(messages, left: &l, right: &r)
        for i in 0..<frames {
            left[i] += l[i]
            right[i] += r[i]
        }
        if unsafe leavingSound.pointee.isOver { endLeaving() }
    }

    @_noLocks
    private func endLeaving() {
        guard let old = unsafe leaving else { return }
        var status = unsafe leavingSound.pointee.status
        status.voices = 0
        unsafe past.add(status)
        _ = unsafe succession.retire(old)
        unsafe leaving = nil
    }

    /// Silences everything and resets the controllers.
    @_noLocks
    public func reset() {
        let region = RealtimeRegion.enter()
        if unsafe leaving != nil { endLeaving() }
        unsafe sound.pointee.reset()
        unsafe bridge?.pointee.silence()
        region.leave()
    }

    public var counters: PlayerCounters {
        let played = status.fetch()
        return PlayerCounters(
            voicesPeak: played.voicesPeak, droppedNotes: played.droppedNotes,
            missedFrames: played.missedFrames)
    }

    /// Whether the worker has given up, so that there is silence from now on. Room: audio.
    public var rendererHasFailed: Bool {
        @_noLocks get {
            unsafe sound.pointee.hasFailed
        }
    }

    // Instruments that take each other's place. Room: control, any thread, also while audio runs.

    var newest: PlayedInstrument { succession.objects().last! }

    /// Plays `next` from the next block on.
    func swap(to next: PlayedInstrument) { bury(succession.offer(next)) }

    /// Frees what is over; whether a swap is still under way, or waits.
    func collect() -> Bool {
        bury(succession.collect())
        return succession.objects().count > 1
    }

    private func bury(_ gone: [PlayedInstrument]) {
        for instrument in gone { pastLateness.withLock { $0.add(instrument.lateness) } }
    }

    /// Of all instruments.
    var lateness: RenderLateness {
        var lateness = pastLateness.withLock { $0 }
        for instrument in succession.objects() { lateness.add(instrument.lateness) }
        return lateness
    }
}

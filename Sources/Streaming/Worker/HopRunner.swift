internal import Inference
internal import Realtime
internal import Synchronization

/// What the streams of an engine tell its workers.
struct WorkSignals: ~Copyable, Sendable {
    /// One signal for each block with which a hop, or more, has come in whole.
    let due = PacedSemaphore()
    /// What time was left when hops were there.
    let slack: SlackMeter
    /// Other than 0 when the workers are to end.
    let stop = PublishedValue()

    /// - Parameter sampleRate: of the models, Hz.
    init(sampleRate: Int) { slack = SlackMeter(sampleRate: sampleRate) }
}

/// Keeps the signals for as long as an engine or one of its streams is there.
@safe final class WorkSignalsOwner: @unchecked Sendable {
    // Sendable: the address never changes, and what is there is made for many threads.
    let signals: UnsafeMutablePointer<WorkSignals>

    init(sampleRate: Int) {
        unsafe signals = .allocate(capacity: 1)
        unsafe signals.initialize(to: WorkSignals(sampleRate: sampleRate))
    }

    deinit {
        unsafe signals.deinitialize(count: 1)
        unsafe signals.deallocate()
    }
}

/// Runs the hops of several streams, the one that is needed first first.
///
/// Each worker has a runner with bound runs of its own; a stream is worked on by one at a time, in order.
///
/// Room: worker, one thread; `init` control.
@safe final class HopRunner {
    private let run: EffectRun
    private let streams: [UnsafeMutablePointer<StreamMemory>]
    private let signals: WorkSignalsOwner

    init(
        _ run: EffectRun, streams: [UnsafeMutablePointer<StreamMemory>], signals: WorkSignalsOwner
    ) {
        self.run = run
        unsafe self.streams = unsafe streams
        self.signals = signals
    }

    /// Runs the hop that is needed first; false where none is due.
    ///
    /// - Throws: `runFailed`.
    func runNext() throws(InferenceError) -> Bool {
        while let index = mostUrgent() {
            let stream = unsafe streams[index]
            let taken = unsafe stream.pointee.isTaken.compareExchange(
                expected: false, desired: true, ordering: .acquiring)
            guard taken.exchanged else { continue }
            defer { unsafe stream.pointee.isTaken.store(false, ordering: .releasing) }
            guard let (number, base) = unsafe nextHop(of: stream) else { continue }
            unsafe stream.pointee.next.store(number + 1, ordering: .relaxed)
            guard unsafe stream.pointee.take(number, base: base, into: run.input.base),
                try run.run(stream: index, hop: number, base: base)
            else {
                if unsafe stream.pointee.base.read() == base { unsafe stream.pointee.skippedHops.add(1) }
                continue
            }
            unsafe stream.pointee.put(number, from: run.output.base, row: run.outputRow)
            // Of a stream that has been reset meanwhile nobody waits for it.
            if unsafe stream.pointee.base.read() == base {
                unsafe count(hopAt: number * stream.pointee.hop, of: stream)
            }
            return true
        }
        return false
    }

    /// What time was left, or by how much it was late.
    private func count(hopAt start: Int, of stream: UnsafeMutablePointer<StreamMemory>) {
        let heard = unsafe stream.pointee.written.read() - stream.pointee.delay
        let slack = unsafe stream.pointee.clock.samplesLeft(
            until: start, played: heard, rate: signals.signals.pointee.slack.sampleRate)
        unsafe signals.signals.pointee.slack.add(slack)
        if heard > start {
            unsafe stream.pointee.lateHops.add(1)
            unsafe stream.pointee.worstLateness.raise(to: heard - start)
        }
    }

    /// Whether a hop is due, or worked on. Room: any.
    var isBusy: Bool {
        unsafe streams.indices.contains { index in
            let stream = unsafe streams[index]
            return unsafe stream.pointee.isTaken.load(ordering: .acquiring) || dueHop(of: stream) != nil
        }
    }

    /// The stream whose next hop is heard first, among those that nobody works on and that have one.
    private func mostUrgent() -> Int? {
        var found: Int?
        var least = Int.max
        for index in unsafe streams.indices {
            let stream = unsafe streams[index]
            if unsafe stream.pointee.isTaken.load(ordering: .relaxed) { continue }
            guard let (number, _) = unsafe dueHop(of: stream) else { continue }
            let slack =
                unsafe number * stream.pointee.hop + stream.pointee.delay - stream.pointee.written.read()
            if slack < least { (found, least) = (index, slack) }
        }
        return found
    }

    /// The next hop that is worth running, if all of it has come in, and where its stream began.
    private func dueHop(of stream: UnsafeMutablePointer<StreamMemory>) -> (number: Int, base: Int)? {
        let hop = unsafe stream.pointee.hop
        let written = unsafe stream.pointee.written.read()
        let heard = unsafe written - stream.pointee.delay
        let (base, next) = unsafe (stream.pointee.base.read(), stream.pointee.next.load(ordering: .relaxed))
        let number = max(next, base / hop, heard > 0 ? heard / hop : 0)
        return (number + 1) * hop <= written ? (number, base) : nil
    }

    /// As `dueHop`, of a stream that has been taken; those that nobody hears any more are left out.
    private func nextHop(of stream: UnsafeMutablePointer<StreamMemory>) -> (number: Int, base: Int)? {
        guard let (number, base) = unsafe dueHop(of: stream) else { return nil }
        let first = unsafe max(stream.pointee.next.load(ordering: .relaxed), base / stream.pointee.hop)
        if number > first { unsafe stream.pointee.skippedHops.add(number - first) }
        return (number, base)
    }
}

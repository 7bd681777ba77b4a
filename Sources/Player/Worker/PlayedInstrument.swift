internal import Inference
internal import NeuralSynth
internal import Realtime

/// An instrument with its worker, from when it is made until nobody plays it any more: audio has `sound`, the worker
/// renders ahead of it.
///
/// Each has a worker of its own. While one takes the place of another there are two, for as long as both are heard: neither
/// waits for the other's slices, and where there are cores for both, each has the time that it has alone.
///
/// Room: control.
@safe final class PlayedInstrument: @unchecked Sendable {
    // Sendable: the sound is audio's alone, the work the worker's, the signals are made for two threads.
    let renderer: NeuralVoiceRenderer
    let sound: UnsafeMutablePointer<SoundingInstrument>
    private let signals: UnsafeMutablePointer<RenderSignals>
    private let work: DueRendering
    private let thread: RenderThread?
    private let helpers: RenderHelpers?

    /// Who renders.
    enum Worker {
        /// Whoever calls `process`, before each block.
        case caller
        /// Whoever calls `renderWhatIsDue`, with helpers of that priority.
        case called(priority: Int)
        /// A thread of that priority, with helpers.
        case thread(priority: Int)
    }

    /// - Throws: `outOfResources` where the system starts no more threads.
    init(_ synth: consuming NeuralSoundSynth, _ worker: Worker) throws(InferenceError) {
        let signals = UnsafeMutablePointer<RenderSignals>.allocate(capacity: 1)
        unsafe signals.initialize(to: RenderSignals(sampleRate: synth.sampleRate))
        renderer = synth.renderer
        work = unsafe DueRendering(renderer: synth.renderer, signals: signals)
        let told: UnsafeMutablePointer<RenderSignals>? =
            if case .caller = worker { nil } else { unsafe signals }
        var started: RenderHelpers?
        do throws(InferenceError) {
            switch worker {
            case .caller: thread = nil
            case .called(let priority):
                started = try RenderHelpers(renderer, count: synth.workers - 1, priority: Int32(priority))
                thread = nil
            case .thread(let priority):
                started = try RenderHelpers(renderer, count: synth.workers - 1, priority: Int32(priority))
                thread = try RenderThread(work, priority: Int32(priority))
            }
            helpers = started
        } catch {
            started?.stop()
            unsafe signals.deinitialize(count: 1)
            unsafe signals.deallocate()
            throw error
        }
        unsafe self.signals = unsafe signals
        unsafe sound = .allocate(capacity: 1)
        let latencySamples = synth.latencySamples
        unsafe sound.initialize(
            to: SoundingInstrument(.neural(synth), latencySamples: latencySamples, signals: told))
    }

    /// Audio must have retired it, or stopped.
    deinit {
        thread?.stop()
        helpers?.stop()
        unsafe sound.deinitialize(count: 1)
        unsafe sound.deallocate()
        unsafe signals.deinitialize(count: 1)
        unsafe signals.deallocate()
    }

    /// Why there is no more sound, where inference has failed.
    var failure: InferenceError? { thread?.failure }
    var isRealtime: Bool { thread?.isRealtime ?? false && helpers?.areRealtime ?? true }
    var lateness: RenderLateness { unsafe RenderLateness(signals.pointee) }

    /// Room: worker, where there is no thread.
    func renderWhatIsDue() throws(InferenceError) { try work.run() }

    /// Whether every slice is rendered that may be, or never will be.
    var isIdle: Bool {
        let slice = renderer.sliceSamples
        let due = unsafe signals.pointee.known.read() / slice * slice
        return unsafe renderer.renderedUntil >= due || signals.pointee.failed.read() != 0
    }
}

/// What was late, of one worker or of several.
struct RenderLateness: Sendable {
    var lateSlices = 0
    var skippedSlices = 0
    var worstSamples = 0
    var slack: Slack

    init(sampleRate: Int) { slack = Slack(sampleRate: sampleRate) }

    init(_ signals: borrowing RenderSignals) {
        lateSlices = signals.lateSlices.read()
        skippedSlices = signals.skippedSlices.read()
        worstSamples = signals.worstLateness.read()
        slack = signals.slack.read()
    }

    mutating func add(_ other: RenderLateness) {
        lateSlices += other.lateSlices
        skippedSlices += other.skippedSlices
        worstSamples = max(worstSamples, other.worstSamples)
        slack.add(other.slack)
    }
}

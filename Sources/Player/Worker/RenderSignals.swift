internal import Realtime

/// What the audio half of a player tells its rendering thread, and the other way round.
struct RenderSignals: ~Copyable, Sendable {
    /// Event time up to which every message has been given: audio publishes it.
    let known = PublishedValue()
    /// Event time up to which the sound has been played: audio publishes it.
    let heard = PublishedValue()
    /// When that was: audio says it.
    let clock = BlockClock()
    /// What time was left when slices were there.
    let slack: SlackMeter
    /// One signal for each block that audio has finished.
    let work = Semaphore()
    /// Other than 0 when the thread is to end.
    let stop = PublishedValue()
    /// Slices that came after the block that was to play their beginning, and those that were left out.
    let lateSlices = Counter()
    let skippedSlices = Counter()
    /// The most event time, in samples, by which a slice was late.
    let worstLateness = Counter()
    /// Other than 0 when inference has failed.
    let failed = PublishedValue()

    /// - Parameter sampleRate: of the instruments, Hz.
    init(sampleRate: Int) { slack = SlackMeter(sampleRate: sampleRate) }
}

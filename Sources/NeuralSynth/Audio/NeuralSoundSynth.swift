public import Realtime
internal import Signal

/// A polyphonic neural instrument: MIDI messages in, stereo sound out, through a streaming decoder and its prior.
///
/// This is the audio half. `renderer` is the worker half: whoever owns both sees to it that the worker renders what
/// the audio half is about to read (`OfflineRenderer` does so inline).
///
/// A message at event time `t` sounds at output time `t + latencySamples`, exactly.
///
/// Room: `process` and `reset` audio; `init` control.
public struct NeuralSoundSynth: ~Copyable {
    /// Samples from a message to its sound.
    public let latencySamples: Int
    /// Hz.
    public let sampleRate: Int
    public let maximumBlockFrames: Int
    /// The worker half.
    public let renderer: NeuralVoiceRenderer
    /// How many threads may render a slice together.
    package let workers: Int
    private var scheduler: NoteScheduler
    private var mixer: VoiceMixer
    /// The event time of the next block's first frame.
    private var position = 0
    /// Whether another has taken its place: messages are the other's then.
    private var isLeft = false

    /// - Parameters:
    ///   - instruments: at least one; `configuration` refers to them by index.
    ///   - latencySamples: how far the sound is behind the messages; at least what a slice and a block need.
    /// - Throws: `NeuralSynthError`.
    public init(
        instruments: [NeuralInstrument], configuration: NeuralSynthConfiguration, latencySamples: Int
    ) throws(NeuralSynthError) {
        guard (1...64).contains(configuration.voices) else {
            throw NeuralSynthError(.configuration, "\(configuration.voices) voices: there may be 1 to 64")
        }
        guard configuration.channelInstruments.count == 16,
            configuration.channelInstruments.allSatisfy({ $0.map(instruments.indices.contains) ?? true })
        else {
            throw NeuralSynthError(
                .configuration, "each of the 16 channels needs one of the instruments, or none")
        }
        guard (1...65536).contains(configuration.maximumBlockFrames),
            (1...65536).contains(configuration.sliceSamples), (1...64).contains(configuration.maximumBatch),
            (1...8).contains(configuration.workers), (1...(1 << 20)).contains(latencySamples)
        else {
            throw NeuralSynthError(
                .configuration,
                "blocks and slices hold 1 to 65536 samples, batches 1 to 64 voices, 1 to 8 threads render, and the "
                    + "latency is 1 to 2^20 samples")
        }
        for instrument in instruments {
            guard instrument.programs.allSatisfy((0...127).contains),
                (0...60).contains(instrument.releaseSeconds),
                instrument.gain.isFinite, instrument.velocityExponent.isFinite,
                (0...2).contains(instrument.temperature)
            else {
                throw NeuralSynthError(
                    .configuration,
                    "\(instrument.name): programs are 0 to 127, the release is 0 to 60 seconds, the temperature is "
                        + "0 to 2, and the gain and the velocity exponent are finite")
            }
        }
        renderer = try NeuralVoiceRenderer(
            instruments: instruments, configuration: configuration,
            // Stolen notes still fade on tracks of their own: so many may be stolen within 10 ms.
            trackCount: configuration.voices + 64, latencySamples: latencySamples)
        self.latencySamples = latencySamples
        workers = configuration.workers
        sampleRate = renderer.sampleRate
        maximumBlockFrames = configuration.maximumBlockFrames
        scheduler = NoteScheduler(
            instruments: instruments, configuration: configuration, tracks: renderer.tracks,
            sampleRate: renderer.sampleRate)
        mixer = VoiceMixer(tracks: renderer.tracks, masterGain: configuration.masterGain)
    }

    /// Acts on the messages of one block and fills both outputs.
    ///
    /// - Parameters:
    ///   - messages: in order of their offsets, each below the block's length.
    ///   - left, right: equally long, at most `maximumBlockFrames`.
    @_noLocks
    public mutating func process(
        _ messages: Span<TimedMessage>, left: inout MutableSpan<Float>, right: inout MutableSpan<Float>
    ) {
        let frames = left.count
        for i in 0..<(isLeft ? 0 : messages.count) {
            let message = messages[i]
            scheduler.handle(message.message, at: position + message.offsetFrames)
        }
        scheduler.sendChanges(before: position + frames)
        mixer.process(
            from: position - latencySamples, actions: scheduler.actions, left: &left, right: &right)
        position += frames
    }

    /// Silences everything and resets the controllers; the instruments of the channels stay.
    @_noLocks
    public mutating func reset() {
        mixer.silence(scheduler.actions)
        scheduler.silence(at: position)
    }

    /// Takes the place of `old`, before its own first block: what is held there goes on here, as it was played, and the
    /// channels are as they were. There everything fades, and messages do nothing any more.
    ///
    /// A held note rises here as it fades there, and their gains add up to one: both never are louder than the louder. It
    /// goes on at its age, so that a sustained note goes on sustained and is not struck again. Notes that begin from
    /// now on begin here, on their sample and at their level.
    @_noLocks
    package mutating func takeOver(from old: inout NeuralSoundSynth) {
        scheduler.takeOver(from: old.scheduler, at: old.position)
        for channel in 0..<16 {
            let (left, right) = scheduler.gains(channel: channel)
            mixer.begin(channel: channel, left: left, right: right)
        }
        old.scheduler.leave(at: old.position)
        old.isLeft = true
    }

    /// Event time after `takeOver` from which on nothing is heard of the old one, what may conceal its end included.
    package static var handoverFrames: Int {
        @_noLocks get { NoteScheduler.handoverSamples + Concealment.fadeFrames }
    }

    /// The notes that sounded in the last block.
    public var voicesSounding: Int {
        @_noLocks get { mixer.activeVoices }
    }
    /// The most notes that sounded at once.
    public var voicesPeak: Int {
        @_noLocks get { scheduler.soundingPeak }
    }
    /// Notes for which there was no room.
    public var droppedNotes: Int {
        @_noLocks get { scheduler.droppedNotes }
    }
    /// Frames that the worker did not deliver in time.
    public var missedFrames: Int {
        @_noLocks get { mixer.missedFrames }
    }
}

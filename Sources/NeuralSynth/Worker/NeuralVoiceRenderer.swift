internal import CRealtime
public import Inference
internal import Realtime
internal import Signal
internal import Streaming

/// The worker half of `NeuralSoundSynth`: turns note commands into the audio of each track, slice by slice.
///
/// Slice `T` covers `[T, T + sliceSamples)` of event time and may run once every event before its end has been
/// given to the synth. What it computes depends on the events alone, not on the host's blocks, nor on how many threads
/// compute it.
///
/// Room: worker, one thread at a time, and helpers (`help`); `init` control.
@safe public final class NeuralVoiceRenderer {
    let tracks: VoiceTracks
    public let sliceSamples: Int
    public let sampleRate: Int
    let instruments: [NeuralInstrument]
    let groups: [VoiceGroup]
    /// Per instrument.
    private let parts: [Part]
    /// Per track: the group that played its last note.
    private var groupOfTrack: [Int]
    private var bends: [BendCurve]
    private var nextSlice = 0
    private let crew: RenderCrew
    /// The batches of the round that is being rendered.
    private var pieces: [Piece] = []

    private struct Piece {
        let group: Int
        let batch: VoiceGroup.Batch
    }

    init(
        instruments: [NeuralInstrument], configuration: NeuralSynthConfiguration, trackCount: Int,
        latencySamples: Int
    ) throws(NeuralSynthError) {
        guard let first = instruments.first?.decoder.description else {
            throw NeuralSynthError(.configuration, "a synth needs at least one instrument")
        }
        let slice = configuration.sliceSamples
        guard slice > 0, slice % first.slotSamples == 0, slice / first.slotSamples < first.maximumSlots else {
            throw NeuralSynthError(
                .configuration,
                "a slice of \(slice) samples does not fit: it must be a multiple of \(first.slotSamples) and "
                    + "less than \(first.slotSamples * first.maximumSlots)")
        }
        self.instruments = instruments
        sliceSamples = slice
        sampleRate = first.sampleRate

        var decoders: [NeuralDecoder] = []
        var priors: [[NeuralPrior]] = []
        var parts: [Part] = []
        for instrument in instruments {
            let description = instrument.decoder.description
            guard description.sampleRate == first.sampleRate, description.slotSamples == first.slotSamples,
                description.latentSize == instrument.prior.description.latentSize
            else {
                throw NeuralSynthError(
                    .incompatibleModels,
                    "\(instrument.name) cannot play beside \(instruments[0].name): its sample rate, slot or latent "
                        + "size differs")
            }
            let group = decoders.index(of: instrument.decoder)
            if group == priors.count { priors.append([]) }
            let prior = priors[group].index(of: instrument.prior)
            parts.append(
                Part(group: group, prior: prior, template: try PriorColumns.template(of: instrument)))
        }
        do throws(InferenceError) {
            groups = try decoders.indices.map { index throws(InferenceError) in
                try VoiceGroup(
                    decoder: decoders[index], priors: priors[index], trackCount: trackCount,
                    maximumBatch: configuration.maximumBatch, sliceSamples: slice,
                    hands: configuration.workers)
            }
        } catch {
            throw NeuralSynthError(
                .inference, "the instrument's model cannot be run: \(error)", underlying: error)
        }
        self.parts = parts
        let longest = decoders.map(\.description.delaySamples).max() ?? 0
        tracks = VoiceTracks(
            count: trackCount,
            minimumSamples: latencySamples + configuration.maximumBlockFrames + 2 * slice + 2
                * first.slotSamples
                + longest,
            commandCapacity: 1 << 14)
        groupOfTrack = Array(repeating: 0, count: trackCount)
        bends = (0..<16).map { _ in BendCurve(capacity: 256) }
        crew = RenderCrew(hands: configuration.workers)
        pieces.reserveCapacity(trackCount)
    }

    /// The event time before which every sample is there. Room: any.
    public var renderedUntil: Int { unsafe tracks.renderedUntil.pointee.read() }

    /// Renders every slice that ends at or before `eventTime`: all the events before it must have been given.
    public func render(until eventTime: Int) throws(InferenceError) {
        while try renderSlice(until: eventTime) {}
    }

    /// Renders one slice if it ends at or before `eventTime`; false if it does not.
    public func renderSlice(until eventTime: Int) throws(InferenceError) -> Bool {
        let end = nextSlice + sliceSamples
        if end > eventTime { return false }
        // On every thread that renders alike, so that what it renders is.
        let denormals = rt_denormals_flush()
        defer { rt_denormals_restore(denormals) }
        takeCommands(before: end)
        // By index, here and in the groups: an iterator allocates where it is not optimised away.
        while true {
            for group in groups.indices {
                groups[group].plan(until: end)
                for batch in groups[group].batches.indices {
                    pieces.append(Piece(group: group, batch: groups[group].batches[batch]))
                }
            }
            if pieces.isEmpty { break }
            defer { pieces.removeAll(keepingCapacity: true) }
            do throws(InferenceError) {
                try crew.compute(pieces.count) { piece, hand throws(InferenceError) in
                    try run(piece, hand: hand)
                }
            } catch {
                for group in groups.indices { groups[group].abandonPlan() }
                throw error
            }
            for group in groups.indices { groups[group].endPlan() }
        }
        for group in groups.indices { groups[group].forgetSilent(at: end) }
        endSlice(at: end)
        return true
    }

    private func run(_ piece: Int, hand: Int) throws(InferenceError) {
        try groups[pieces[piece].group].run(pieces[piece].batch, hand: hand, bends: bends, into: tracks)
    }

    /// Makes a thread a helper, which runs a model once: ONNX Runtime allocates when it first meets a thread. Nil where there
    /// are as many helpers as `NeuralSynthConfiguration.workers` allows.
    package func join() throws(InferenceError) -> Int? {
        guard let hand = crew.join() else { return nil }
        for group in groups { try group.meet(hand: hand) }
        return hand
    }

    /// Renders parts of slices beside whoever renders slices, until `letHelpersGo`. Room: worker, a thread of its own, which
    /// has joined.
    package func help(as hand: Int) {
        crew.help(as: hand) { piece, hand throws(InferenceError) in try run(piece, hand: hand) }
    }

    /// Ends every `help`. Room: control, when nobody renders any more.
    package func letHelpersGo() { crew.letHelpersGo() }

    /// Leaves out every slice that ends at or before `eventTime`, in which nothing is heard any more: the notes go on
    /// after it from where they would be, with what their decoders remember from before. Returns how many there were.
    public func skip(until eventTime: Int) -> Int {
        let first = nextSlice
        while nextSlice + sliceSamples <= eventTime {
            let end = nextSlice + sliceSamples
            takeCommands(before: end)
            for group in groups.indices { groups[group].skip(until: end) }
            endSlice(at: end)
        }
        return (nextSlice - first) / sliceSamples
    }

    /// Runs every model once for every number of voices, before the first slice: the first runs are slow. Room: control.
    package func warmUp() throws(InferenceError) { for group in groups { try group.warmUp() } }

    private func takeCommands(before end: Int) {
        while let command = unsafe tracks.commands.pointee.peek(), command.time < end {
            apply(command)
            _ = unsafe tracks.commands.pointee.pop()
        }
    }

    private func endSlice(at end: Int) {
        for channel in bends.indices { bends[channel].endSlice() }
        nextSlice = end
        unsafe tracks.renderedUntil.pointee.publish(end)
    }

    private func apply(_ command: VoiceCommand) {
        switch command {
        case .start(
            let time, let track, let channel, let key, let velocity, let instrument, let noteCount, let age):
            let part = parts[Int(instrument)]
            if groupOfTrack[Int(track)] != part.group {
                groups[groupOfTrack[Int(track)]].stop(track: Int(track), silentAt: time)
            }
            groupOfTrack[Int(track)] = part.group
            let keys = instruments[Int(instrument)].keys
            let noise = CounterNoise(seed: UInt64(noteCount) << 16 | UInt64(channel) << 8 | UInt64(key))
            groups[part.group].start(
                track: Int(track),
                Voice(
                    prior: part.prior, onset: time, age: age, channel: Int(channel), key: Float(key),
                    timbreKey: Float(min(max(Int(key), keys.lowerBound), keys.upperBound)),
                    velocity: Float(velocity), template: part.template, noise: noise,
                    variation: noise.uniform(at: Voice.variationPosition)))
        case .release(let time, let track, let silentAt):
            groups[groupOfTrack[Int(track)]].release(track: Int(track), time: time, silentAt: silentAt)
        case .steal(_, let track, let silentAt):
            groups[groupOfTrack[Int(track)]].stop(track: Int(track), silentAt: silentAt)
        case .bend(let time, let channel, let semitones):
            bends[Int(channel)].append(time: time, semitones: semitones)
        }
    }
}

/// Where and how an instrument's notes are rendered.
struct Part {
    let group: Int
    /// Among the group's priors.
    let prior: Int
    /// What the prior's rows start from.
    let template: [Float]
}

extension Array where Element: AnyObject {
    /// Where `element` itself is; it is appended if it is nowhere.
    fileprivate mutating func index(of element: Element) -> Int {
        if let known = firstIndex(where: { $0 === element }) { return known }
        append(element)
        return count - 1
    }
}

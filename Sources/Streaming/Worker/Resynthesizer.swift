public import Inference
internal import Signal

/// Takes recordings of notes through a streaming encoder and a decoder: what is left of them is what a latent holds.
///
/// A recording is encoded frame by frame, one latent per `latentSamples` samples. Over the slots of its frame the
/// latent moves on a line from the one before (zero before the first) to its own, as in training; the last one is
/// held. The decoder plays at a constant pitch, with noise that is the same in every run, and its delay is dropped:
/// sample 0 stays sample 0. Nothing is done to the level.
///
/// Room: worker, one thread at a time; `init` control. Not for real time: it allocates.
@safe public final class Resynthesizer {
    /// A recording of one note.
    public struct Note: Sendable {
        /// Mono, at the models' `sampleRate`.
        public var audio: [Float]
        /// The frequency of partial 1, above 0.
        public var hertz: Float
        /// What the prior says of the note, for the encoder's `noteChannels`; else empty.
        public var latent: [Float]

        public init(audio: [Float], hertz: Float, latent: [Float] = []) {
            self.audio = audio
            self.hertz = hertz
            self.latent = latent
        }
    }

    /// Hz, of the encoder, of the decoder and of every note.
    public let sampleRate: Int
    /// The most notes in one call.
    public let maximumNotes: Int

    private let encoder: LatentEncoder
    private let decoder: VoiceBatcher
    private let slotsPerLatent: Int
    /// Channels of the latent that a note's own `latent` gives, of the encoder's `noteChannels`.
    public let noteChannels: [Int]
    private let noise = CounterNoise(seed: 0)

    /// - Throws: `InferenceError`: `invalidArgument` when the two models do not belong together, or what binding their
    ///   tensors throws.
    public init(
        encoder: Session, encoderDescription: StreamingEncoderDescription, decoder: Session,
        decoderDescription: StreamingDecoderDescription, maximumNotes: Int = 8
    ) throws(InferenceError) {
        let slotSamples = decoderDescription.slotSamples
        guard encoderDescription.sampleRate == decoderDescription.sampleRate,
            encoderDescription.latentSize == decoderDescription.latentSize,
            encoderDescription.latentSamples.isMultiple(of: slotSamples)
        else {
            throw InferenceError(
                .invalidArgument,
                "The encoder (\(encoderDescription.sampleRate) Hz, \(encoderDescription.latentSize) values for "
                    + "\(encoderDescription.latentSamples) samples) and the decoder "
                    + "(\(decoderDescription.sampleRate) Hz, \(decoderDescription.latentSize) values for "
                    + "\(slotSamples) samples) do not fit. Take two that were trained together.")
        }
        sampleRate = decoderDescription.sampleRate
        self.maximumNotes = maximumNotes
        slotsPerLatent = encoderDescription.latentSamples / slotSamples
        noteChannels = encoderDescription.noteChannels
        guard noteChannels.allSatisfy({ 0..<decoderDescription.latentSize ~= $0 }) else {
            throw InferenceError(
                .invalidArgument,
                "The encoder's noteChannels, \(noteChannels), are not all among the latent's "
                    + "\(decoderDescription.latentSize) channels.")
        }
        self.encoder = try LatentEncoder(
            session: encoder, description: encoderDescription, maximumVoices: maximumNotes,
            maximumBatch: maximumNotes)
        self.decoder = try VoiceBatcher(
            session: decoder, description: decoderDescription, maximumVoices: maximumNotes,
            maximumBatch: maximumNotes, maximumSlots: slotsPerLatent)
    }

    /// The notes as the models play them, each as long as its recording.
    ///
    /// - Parameters:
    ///   - notes: at most `maximumNotes`, of any lengths. A note in a batch equals the note alone to 1e-5.
    ///   - progress: is told the samples that are done, of all notes together; what it throws ends the work.
    /// - Throws: `InferenceError`.
    public func resynthesize(
        _ notes: [Note], progress: (Int) throws -> Void = { _ in }
    ) throws -> [[Float]] {
        precondition(notes.count <= maximumNotes, "\(notes.count) notes, and there may be \(maximumNotes)")
        var tracks = notes.indices.map { voice in
            encoder.reset(voice: voice)
            decoder.reset(voice: voice)
            return Track(notes[voice], description: decoder.description)
        }
        var slot = 0
        while case let playing = notes.indices.filter({ tracks[$0].missing > 0 }), !playing.isEmpty {
            if slot.isMultiple(of: slotsPerLatent) {
                for voice in playing { tracks[voice].before = tracks[voice].after }
                let start = slot / slotsPerLatent * encoder.description.latentSamples
                try encode(playing.filter { start < notes[$0].audio.count }, &tracks, from: start)
            }
            let missing = playing.map { tracks[$0].missing }.max() ?? 0
            let slotSamples = decoder.description.slotSamples
            let slots = min(
                decoder.maximumSlots, slotsPerLatent - slot % slotsPerLatent,
                (missing + slotSamples - 1) / slotSamples)
            try decode(playing, &tracks, from: slot, slots: slots)
            slot += slots
            try progress(tracks.reduce(0) { $0 + min($1.sound.count, $1.note.audio.count) })
        }
        return tracks.map { Array($0.sound.dropFirst($0.delay).prefix($0.note.audio.count)) }
    }

    /// Gives the voices the latent of their next frame; beyond its end a recording is silent.
    private func encode(_ voices: [Int], _ tracks: inout [Track], from start: Int) throws(InferenceError) {
        guard !voices.isEmpty else { return }
        for lane in voices.indices {
            let recording = tracks[voices[lane]].note.audio
            let audio = unsafe encoder.audio(lane: lane)
            for i in 0..<encoder.description.latentSamples {
                unsafe audio[i] = start + i < recording.count ? recording[start + i] : 0
            }
        }
        try encoder.run(voices: voices.span)
        for lane in voices.indices {
            let latent = unsafe encoder.latent(lane: lane)
            for i in 0..<encoder.description.latentSize {
                unsafe tracks[voices[lane]].after[i] = latent[i]
            }
        }
    }

    /// Appends `slots` slots of a frame to the sound of the voices.
    private func decode(_ voices: [Int], _ tracks: inout [Track], from slot: Int, slots: Int)
        throws(InferenceError)
    {
        for lane in voices.indices {
            let track = tracks[voices[lane]]
            let (latent, pitch) = unsafe (
                decoder.latent(lane: lane, slots: slots), decoder.pitch(lane: lane, slots: slots)
            )
            for k in 0..<slots {
                let way = Float((slot + k) % slotsPerLatent + 1) / Float(slotsPerLatent)
                for i in track.after.indices {
                    unsafe latent[i * slots + k] = track.before[i] + (track.after[i] - track.before[i]) * way
                }
                for channel in noteChannels where channel < track.note.latent.count {
                    unsafe latent[channel * slots + k] = track.note.latent[channel]
                }
                unsafe pitch[k] = track.note.hertz
            }
            decoder.fill(noise: noise, lane: lane, slots: slots, from: slot)
        }
        try decoder.run(voices: voices.span, slots: slots)
        for lane in voices.indices {
            let audio = unsafe decoder.audio(lane: lane, slots: slots)
            let count = slots * decoder.description.slotSamples
            unsafe tracks[voices[lane]].sound.append(
                contentsOf: UnsafeBufferPointer(start: audio, count: count))
        }
    }

    /// A note on its way: the latents that it is between, and what the decoder has given so far.
    struct Track {
        let note: Note
        let delay: Int
        var before, after: [Float]
        var sound: [Float] = []

        init(_ note: Note, description: StreamingDecoderDescription) {
            self.note = note
            delay = description.delaySamples
            before = Array(repeating: 0, count: description.latentSize)
            after = before
        }

        /// Samples that the decoder has still to give.
        var missing: Int { note.audio.isEmpty ? 0 : max(note.audio.count + delay - sound.count, 0) }
    }
}

internal import Inference
internal import Signal
internal import Streaming

/// A note as the worker sees it. Times are event time, in samples.
struct Voice {
    /// Which of its group's priors plays it.
    let prior: Int
    let onset: Int
    /// Samples that the note is older than its time here.
    let age: Int
    let channel: Int
    /// The MIDI key that sounds, and the key whose timbre it has (within the instrument's range).
    let key: Float
    let timbreKey: Float
    let velocity: Float
    /// The prior's row, with what all notes of the instrument have in common.
    let template: [Float]
    let noise: CounterNoise
    /// What tells the note from others of its key and velocity, 0..<1.
    let variation: Float
    var slot = 0
    var releaseTime = Int.max
    var silentAt = Int.max

    /// Where the variation is drawn from the note's noise: the decoder's noise, from position 0 on, never gets there.
    static let variationPosition: UInt64 = 1 << 63
}

/// The tracks that one decoder plays, as its priors tell it.
@safe final class VoiceGroup {
    private let batcher: VoiceBatcher
    private let priors: [PriorBatch]
    private var voices: [Voice?]
    /// The tracks of the batch that is being put together, lane by lane.
    private var batch: [Int] = []
    /// Per lane: the first of its rows in its prior's batch.
    private var firstRows: [Int]

    init(
        decoder: NeuralDecoder, priors: [NeuralPrior], trackCount: Int, maximumBatch: Int, sliceSamples: Int
    ) throws(InferenceError) {
        let description = decoder.description
        // A note that starts on its sample needs what it drops and the rest of a slot on top of the slice.
        let lead = (description.delaySamples + description.slotSamples - 1) / description.slotSamples
        let slots = sliceSamples / description.slotSamples + lead
        batcher = try VoiceBatcher(
            session: decoder.session, description: description, maximumVoices: trackCount,
            maximumBatch: maximumBatch, maximumSlots: slots)
        let rows = maximumBatch * batcher.maximumSlots
        self.priors = try priors.map { prior throws(InferenceError) in
            try PriorBatch(prior, maximumRows: rows)
        }
        voices = Array(repeating: nil, count: trackCount)
        batch.reserveCapacity(maximumBatch)
        firstRows = Array(repeating: 0, count: maximumBatch)
    }

    /// Runs the models once for every number of voices. Each voice is made fresh when it starts.
    func warmUp() throws(InferenceError) {
        for prior in priors {
            _ = prior.add(rows: 1)
            try prior.run()
        }
        for count in 1...batcher.maximumBatch {
            let voices = Array(0..<count)
            try batcher.run(voices: voices.span, slots: batcher.maximumSlots)
        }
    }

    func start(track: Int, _ voice: Voice) {
        batcher.reset(voice: track)
        voices[track] = voice
    }

    func release(track: Int, time: Int, silentAt: Int) {
        voices[track]?.releaseTime = time
        voices[track]?.silentAt = silentAt
    }

    func stop(track: Int, silentAt: Int) { voices[track]?.silentAt = silentAt }

    /// Renders what each track lacks before `end`, the voices that need equally many slots together.
    func render(until end: Int, bends: [BendCurve], into tracks: VoiceTracks) throws(InferenceError) {
        while true {
            var most = 0
            for track in voices.indices {
                most = max(most, min(missingSlots(track, end), batcher.maximumSlots))
            }
            if most == 0 { break }
            for track in voices.indices where min(missingSlots(track, end), batcher.maximumSlots) == most {
                batch.append(track)
                if batch.count == batcher.maximumBatch {
                    try runBatch(slots: most, bends: bends, into: tracks)
                }
            }
            if !batch.isEmpty { try runBatch(slots: most, bends: bends, into: tracks) }
        }
        forgetSilent(at: end)
    }

    /// Leaves out what each track lacks before `end`. A slot that goes beyond it is heard there, and stays.
    func skip(until end: Int) {
        let slot = batcher.description.slotSamples
        for track in voices.indices {
            guard let voice = voices[track] else { continue }
            voices[track]!.slot += max(0, (end - audioStart(voice, slot: voice.slot)) / slot)
        }
        forgetSilent(at: end)
    }

    private func forgetSilent(at end: Int) {
        for track in voices.indices {
            if let voice = voices[track], voice.silentAt <= end { voices[track] = nil }
        }
    }

    /// The event time of the first sample that the slot yields.
    private func audioStart(_ voice: Voice, slot: Int) -> Int {
        voice.onset - batcher.description.delaySamples + slot * batcher.description.slotSamples
    }

    private func missingSlots(_ track: Int, _ end: Int) -> Int {
        guard let voice = voices[track] else { return 0 }
        let missing = min(end, voice.silentAt) - audioStart(voice, slot: voice.slot)
        let slot = batcher.description.slotSamples
        return missing <= 0 ? 0 : (missing + slot - 1) / slot
    }

    private func runBatch(slots: Int, bends: [BendCurve], into tracks: VoiceTracks) throws(InferenceError) {
        defer { batch.removeAll(keepingCapacity: true) }
        for lane in batch.indices { fillNotes(lane: lane, voice: voices[batch[lane]]!, slots: slots) }
        for prior in priors.indices { try priors[prior].run() }
        for lane in batch.indices {
            let voice = voices[batch[lane]]!
            fillLatents(lane: lane, voice: voice, slots: slots)
            fillPitch(lane: lane, voice: voice, slots: slots, bend: bends[voice.channel])
            batcher.fill(noise: voice.noise, lane: lane, slots: slots, from: voice.slot)
        }
        try batcher.run(voices: batch.span, slots: slots)
        for lane in batch.indices { write(lane: lane, slots: slots, into: tracks) }
    }

    private func fillNotes(lane: Int, voice: Voice, slots: Int) {
        let rate = Float(batcher.description.sampleRate)
        let prior = priors[voice.prior]
        firstRows[lane] = prior.add(rows: slots)
        for k in 0..<slots {
            let slot = voice.slot + k
            let released = min(voice.releaseTime, audioStart(voice, slot: slot))
            prior.fill(
                row: firstRows[lane] + k, of: voice,
                secondsOn: Float(slot * batcher.description.slotSamples + voice.age) / rate,
                secondsOff: Float(audioStart(voice, slot: slot) - released) / rate)
        }
    }

    private func fillLatents(lane: Int, voice: Voice, slots: Int) {
        let latent = unsafe batcher.latent(lane: lane, slots: slots)
        for k in 0..<slots {
            let row = unsafe priors[voice.prior].latent(row: firstRows[lane] + k)
            for i in 0..<batcher.description.latentSize { unsafe latent[i * slots + k] = row[i] }
        }
    }

    private func fillPitch(lane: Int, voice: Voice, slots: Int, bend: BendCurve) {
        let pitch = unsafe batcher.pitch(lane: lane, slots: slots)
        for k in 0..<slots {
            let time = max(audioStart(voice, slot: voice.slot + k), voice.onset)
            unsafe pitch[k] = Pitch.frequency(key: voice.key + bend.semitones(at: time))
        }
    }

    /// Puts a lane's audio on its track, from the onset on, and moves the voice on.
    private func write(lane: Int, slots: Int, into tracks: VoiceTracks) {
        let number = batch[lane]
        let voice = voices[number]!
        let audio = unsafe batcher.audio(lane: lane, slots: slots)
        let track = unsafe tracks.track(number)
        let start = audioStart(voice, slot: voice.slot)
        let count = slots * batcher.description.slotSamples
        var i = max(0, voice.onset - start)
        while i < count {
            unsafe track[(start + i) & tracks.mask] = audio[i]
            i += 1
        }
        voices[number]!.slot += slots
    }
}

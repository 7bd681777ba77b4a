internal import Inference
internal import Signal
internal import Streaming

/// What a thread needs to render batches of a group's voices: the group's models, bound to tensors of its own.
///
/// Room: worker, one thread; `init` control.
@safe final class BatchHand {
    let batcher: VoiceBatcher
    private let priors: [PriorBatch]
    /// Per lane: the first of its rows in its prior's batch.
    private var firstRows: [Int]

    init(_ batcher: VoiceBatcher, _ priors: [NeuralPrior]) throws(InferenceError) {
        self.batcher = batcher
        let rows = batcher.maximumBatch * batcher.maximumSlots
        self.priors = try priors.map { prior throws(InferenceError) in
            try PriorBatch(prior, maximumRows: rows)
        }
        firstRows = Array(repeating: 0, count: batcher.maximumBatch)
    }

    /// Runs the models once for every number of voices.
    func warmUp() throws(InferenceError) {
        try runPriors()
        for count in 1...batcher.maximumBatch {
            let voices = Array(0..<count)
            try batcher.run(voices: voices.span, slots: batcher.maximumSlots)
        }
    }

    /// Runs each prior once, for nothing.
    func runPriors() throws(InferenceError) {
        for prior in priors {
            _ = prior.add(rows: 1)
            try prior.run()
        }
    }

    /// Renders so many slots of the voices of the tracks `numbers`, from each one's next slot on.
    func run(
        _ numbers: Span<Int>, of voices: [Voice?], slots: Int, bends: [BendCurve], into tracks: VoiceTracks
    ) throws(InferenceError) {
        for lane in 0..<numbers.count { fillNotes(lane: lane, voice: voices[numbers[lane]]!, slots: slots) }
        for prior in priors.indices { try priors[prior].run() }
        for lane in 0..<numbers.count {
            let voice = voices[numbers[lane]]!
            fillLatents(lane: lane, voice: voice, slots: slots)
            fillPitch(lane: lane, voice: voice, slots: slots, bend: bends[voice.channel])
            batcher.fill(noise: voice.noise, lane: lane, slots: slots, from: voice.slot)
        }
        try batcher.run(voices: numbers, slots: slots)
        for lane in 0..<numbers.count {
            write(lane: lane, voice: voices[numbers[lane]]!, slots: slots, to: numbers[lane], of: tracks)
        }
    }

    private func fillNotes(lane: Int, voice: Voice, slots: Int) {
        let description = batcher.description
        let rate = Float(description.sampleRate)
        let prior = priors[voice.prior]
        firstRows[lane] = prior.add(rows: slots)
        for k in 0..<slots {
            let slot = voice.slot + k
            let start = voice.audioStart(description, slot: slot)
            let released = min(voice.releaseTime, start)
            prior.fill(
                row: firstRows[lane] + k, of: voice,
                secondsOn: Float(slot * description.slotSamples + voice.age) / rate,
                secondsOff: Float(start - released) / rate)
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
            let time = max(voice.audioStart(batcher.description, slot: voice.slot + k), voice.onset)
            unsafe pitch[k] = Pitch.frequency(key: voice.key + bend.semitones(at: time))
        }
    }

    /// Puts a lane's audio on its track, from the onset on.
    private func write(lane: Int, voice: Voice, slots: Int, to track: Int, of tracks: VoiceTracks) {
        let audio = unsafe batcher.audio(lane: lane, slots: slots)
        let samples = unsafe tracks.track(track)
        let start = voice.audioStart(batcher.description, slot: voice.slot)
        let count = slots * batcher.description.slotSamples
        var i = max(0, voice.onset - start)
        while i < count {
            unsafe samples[(start + i) & tracks.mask] = audio[i]
            i += 1
        }
    }
}

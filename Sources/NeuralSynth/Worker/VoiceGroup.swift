internal import Inference
internal import Streaming

/// The tracks that one decoder plays, as its priors tell it.
///
/// A slice is rendered in batches, one or more: `plan` says which, `run` computes them, each on any thread that has a hand of
/// its own, and `endPlan` moves the voices on. While batches are run nothing else changes.
///
/// Room: worker.
@safe final class VoiceGroup {
    /// Voices that are run together, all for equally many slots: a part of `order`.
    struct Batch {
        let first, count, slots: Int
    }

    private let description: StreamingDecoderDescription
    private let maximumSlots: Int
    private let maximumBatch: Int
    private let hands: [BatchHand]
    private var voices: [Voice?]
    /// The tracks of the batches, batch by batch.
    private var order: [Int] = []
    private(set) var batches: [Batch] = []

    /// - Parameter hands: how many threads may run batches at the same time.
    init(
        decoder: NeuralDecoder, priors: [NeuralPrior], trackCount: Int, maximumBatch: Int, sliceSamples: Int,
        hands: Int
    ) throws(InferenceError) {
        description = decoder.description
        self.maximumBatch = maximumBatch
        // A note that starts on its sample needs what it drops and the rest of a slot on top of the slice.
        let lead = (description.delaySamples + description.slotSamples - 1) / description.slotSamples
        let first = try VoiceBatcher(
            session: decoder.session, description: description, maximumVoices: trackCount,
            maximumBatch: maximumBatch, maximumSlots: sliceSamples / description.slotSamples + lead)
        maximumSlots = first.maximumSlots
        self.hands = try (0..<hands).map { hand throws(InferenceError) in
            try BatchHand(
                hand == 0 ? first : VoiceBatcher(session: decoder.session, sharing: first), priors)
        }
        voices = Array(repeating: nil, count: trackCount)
        order.reserveCapacity(trackCount)
        batches.reserveCapacity(trackCount)
    }

    /// Runs the models once for every number of voices, by every hand. Each voice is made fresh when it starts.
    func warmUp() throws(InferenceError) { for hand in hands { try hand.warmUp() } }

    /// Runs a model on the calling thread, which no voice notices.
    func meet(hand: Int) throws(InferenceError) { try hands[hand].runPriors() }

    func start(track: Int, _ voice: Voice) {
        hands[0].batcher.reset(voice: track)
        voices[track] = voice
    }

    func release(track: Int, time: Int, silentAt: Int) {
        voices[track]?.releaseTime = time
        voices[track]?.silentAt = silentAt
    }

    func stop(track: Int, silentAt: Int) { voices[track]?.silentAt = silentAt }

    /// Puts together the batches of what the tracks lack before `end`: of voices that need equally many slots, those that
    /// need most first, as few as there may be and as equal as they can be. There are none where nothing is lacking.
    func plan(until end: Int) {
        var slots = maximumSlots
        while slots > 0 {
            let first = order.count
            for track in voices.indices where min(missingSlots(track, end), maximumSlots) == slots {
                order.append(track)
            }
            let count = order.count - first
            let parts = (count + maximumBatch - 1) / maximumBatch
            for part in 0..<parts {
                let (start, stop) = (count * part / parts, count * (part + 1) / parts)
                batches.append(Batch(first: first + start, count: stop - start, slots: slots))
            }
            slots -= 1
        }
    }

    /// Renders a batch of the plan. Room: worker, any thread, as `hand` and only it.
    func run(
        _ batch: Batch, hand: Int, bends: [BendCurve], into tracks: VoiceTracks
    ) throws(InferenceError) {
        let order = order
        let numbers = order.span.extracting(batch.first..<batch.first + batch.count)
        try hands[hand].run(numbers, of: voices, slots: batch.slots, bends: bends, into: tracks)
    }

    /// Gives the plan up, where something of it could not be run.
    func abandonPlan() {
        order.removeAll(keepingCapacity: true)
        batches.removeAll(keepingCapacity: true)
    }

    /// Moves on the voices of the plan, all of which has been run.
    func endPlan() {
        for batch in batches.indices {
            let (first, count, slots) = (batches[batch].first, batches[batch].count, batches[batch].slots)
            for place in first..<first + count { voices[order[place]]!.slot += slots }
        }
        abandonPlan()
    }

    /// Leaves out what each track lacks before `end`. A slot that goes beyond it is heard there, and stays.
    func skip(until end: Int) {
        let slot = description.slotSamples
        for track in voices.indices {
            guard let voice = voices[track] else { continue }
            voices[track]!.slot += max(0, (end - voice.audioStart(description, slot: voice.slot)) / slot)
        }
        forgetSilent(at: end)
    }

    /// Forgets the voices of which nothing is heard from `end` on.
    func forgetSilent(at end: Int) {
        for track in voices.indices {
            if let voice = voices[track], voice.silentAt <= end { voices[track] = nil }
        }
    }

    private func missingSlots(_ track: Int, _ end: Int) -> Int {
        guard let voice = voices[track] else { return 0 }
        let missing = min(end, voice.silentAt) - voice.audioStart(description, slot: voice.slot)
        let slot = description.slotSamples
        return missing <= 0 ? 0 : (missing + slot - 1) / slot
    }
}

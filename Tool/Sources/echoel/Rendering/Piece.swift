import Devices
import MusicIO
import Realtime

/// A performance as the renderer takes it: messages by sample of event time, without the channels that stay silent.
struct Piece {
    let messages: [ScheduledMessage]
    /// Note-ons among them.
    let notes: Int
    /// Where notes that still sound are let go.
    let endSample: Int
    /// Note-ons left out, by channel, 1…16.
    let skippedNotes: [Int: Int]

    init(_ performance: MIDIPerformance, sampleRate: Int, plan: ChannelPlan) {
        var messages: [ScheduledMessage] = []
        var notes = 0
        var skipped: [Int: Int] = [:]
        var held: Set<Held> = []
        for timed in performance.events {
            let channel = Int(timed.event.channel)
            let isNote = if case .noteOn = timed.event.kind { true } else { false }
            if plan.isSilent(channel: channel) {
                if isNote { skipped[channel + 1, default: 0] += 1 }
                continue
            }
            if isNote { notes += 1 }
            switch timed.event.kind {
            case .noteOn(let key, _): held.insert(Held(channel: channel, key: key))
            case .noteOff(let key, _): held.remove(Held(channel: channel, key: key))
            default: break
            }
            messages.append(
                ScheduledMessage(
                    sample: max(timed.sample(at: Double(sampleRate)), 0), message: ChannelMessage(timed.event)
                ))
        }
        self.messages = messages
        self.notes = notes
        skippedNotes = skipped
        // A key that nobody releases sounds until the end of the piece.
        let end = Int((performance.durationSeconds * Double(sampleRate)).rounded())
        let last = (messages.last?.sample ?? 0) + 1
        endSample = held.isEmpty ? last : max(last, end)
    }

    /// Says what is left out of `file`.
    ///
    /// - Throws: `unusable` where that is all.
    func announce(as file: String) throws(ToolError) {
        let percussion = InstrumentAssignment.percussionChannel
        let skipped = skippedNotes[percussion].map { count in
            "\(count) note\(count == 1 ? "" : "s") on channel \(percussion), percussion, "
                + "\(count == 1 ? "is" : "are") left out; \(percussion)=NAME in --instrument plays them."
        }
        guard notes > 0 else {
            throw ToolError(
                .unusable,
                "\(file) has no notes to play. " + (skipped ?? "Check that it is the piece you meant."))
        }
        if let skipped { Terminal.note(skipped) }
    }

    private struct Held: Hashable {
        let channel: Int
        let key: UInt8
    }
}

extension ChannelMessage {
    /// A message of a file as the bytes that the synth takes.
    init(_ event: ChannelEvent) {
        let channel = event.channel & 0x0F
        switch event.kind {
        case .noteOff(let key, let velocity): self.init(status: 0x80 | channel, data1: key, data2: velocity)
        case .noteOn(let key, let velocity): self.init(status: 0x90 | channel, data1: key, data2: velocity)
        case .polyPressure(let key, let pressure):
            self.init(status: 0xA0 | channel, data1: key, data2: pressure)
        case .controlChange(let controller, let value):
            self.init(status: 0xB0 | channel, data1: controller, data2: value)
        case .programChange(let program): self.init(status: 0xC0 | channel, data1: program, data2: 0)
        case .channelPressure(let pressure): self.init(status: 0xD0 | channel, data1: pressure, data2: 0)
        case .pitchBend(let value):
            let raw = UInt16(min(max(Int(value) + 8192, 0), 16_383))
            self.init(status: 0xE0 | channel, data1: UInt8(raw & 0x7F), data2: UInt8(raw >> 7))
        }
    }
}

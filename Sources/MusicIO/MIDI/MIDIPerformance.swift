/// A channel message at a time.
public struct TimedMIDIEvent: Hashable, Sendable {
    /// From the start of the piece. In a performance that was read, 0…86,400.
    public var seconds: Double
    public var event: ChannelEvent

    public init(seconds: Double, event: ChannelEvent) {
        self.seconds = seconds
        self.event = event
    }

    /// The sample nearest to the event.
    ///
    /// - Parameter rate: samples a second, finite.
    public func sample(at rate: Double) -> Int { Int((seconds * rate).rounded()) }
}

/// A piece as it is played: all tracks merged, ticks turned into seconds through the tempo map.
///
/// Events are in order of time. Those at one tick keep the order of the file: tracks in turn, and within a
/// track as written. One exception spares a repeated note: when one track strikes a key at the tick at which
/// a *later* track releases its own earlier note of that key and channel, the strike comes after the release,
/// lest the release end the new note.
public struct MIDIPerformance: Hashable, Sendable {
    public var events: [TimedMIDIEvent]
    /// The end of the last track, which may be later than the last event.
    public var durationSeconds: Double
    /// The first track's name.
    public var title: String?

    public init(events: [TimedMIDIEvent], durationSeconds: Double, title: String? = nil) {
        self.events = events
        self.durationSeconds = durationSeconds
        self.title = title
    }

    /// How many note-ons there are.
    public var noteCount: Int {
        events.count { if case .noteOn = $0.event.kind { true } else { false } }
    }

    /// The time of the last note-on or note-off; nil without notes.
    public var lastNoteSeconds: Double? {
        let last = events.last {
            switch $0.event.kind {
            case .noteOn, .noteOff: true
            default: false
            }
        }
        return last?.seconds
    }
}

extension StandardMIDIFile {
    /// The piece in seconds. Formats 0 and 1 play their tracks together; format 2 plays its patterns one
    /// after another, each with its own tempos, from 120 beats a minute.
    public func performance() -> MIDIPerformance {
        let title = tracks.first?.name
        guard format == 2 else {
            return MIDIPerformance(
                events: timed(merged(), on: timelines[0]), durationSeconds: timelines[0].durationSeconds,
                title: title)
        }
        var events: [TimedMIDIEvent] = []
        var start = 0.0
        for (track, timeline) in zip(tracks, timelines) {
            events += timed(track.events, on: timeline, from: start)
            start += timeline.durationSeconds
        }
        return MIDIPerformance(events: events, durationSeconds: start, title: title)
    }

    private func timed(_ events: [TrackEvent], on timeline: Timeline, from start: Double = 0)
        -> [TimedMIDIEvent]
    {
        var segment = 0
        return events.map {
            TimedMIDIEvent(seconds: start + timeline.seconds(at: $0.tick, segment: &segment), event: $0.event)
        }
    }
}

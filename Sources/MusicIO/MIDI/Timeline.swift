/// Ticks to seconds.
///
/// Elapsed time is kept as a whole number of `1/denominator` seconds, so that it is exact after any number of
/// tempo changes; a day at the finest division is under 2^53 of them.
struct Timeline: Hashable, Sendable {
    struct Segment: Hashable, Sendable {
        let tick: Int
        /// Time at `tick`, in units of `1/denominator` seconds.
        let elapsed: Int
        let unitsPerTick: Int
    }

    let segments: [Segment]
    let denominator: Int
    let endTick: Int

    /// Seconds at a tick; `segment` is where to start looking and is left where it was found.
    func seconds(at tick: Int, segment: inout Int) -> Double {
        while segment + 1 < segments.count, segments[segment + 1].tick <= tick { segment += 1 }
        let base = segments[segment]
        let units = base.elapsed + (tick - base.tick) * base.unitsPerTick
        return Double(units) / Double(denominator)
    }

    var durationSeconds: Double {
        var segment = 0
        return seconds(at: endTick, segment: &segment)
    }

    /// Nil when `endTick` is later than a day.
    init?(division: StandardMIDIFile.Division, tempos: [StandardMIDIFile.TempoChange], endTick: Int) {
        var unitsPerTick: Int
        let changes: [StandardMIDIFile.TempoChange]
        switch division {
        case .ticksPerQuarter(let ticks):
            (denominator, unitsPerTick, changes) = (1_000_000 * ticks, 500_000, tempos)
        case .smpte(29, let ticks):
            (denominator, unitsPerTick, changes) = (30_000 * ticks, 1001, [])
        case .smpte(let frames, let ticks):
            (denominator, unitsPerTick, changes) = (frames * ticks, 1, [])
        }
        self.endTick = endTick
        let limit = denominator * Int(StandardMIDIFile.maximumSeconds)
        var segments = [Segment(tick: 0, elapsed: 0, unitsPerTick: unitsPerTick)]
        var last = segments[0]

        /// Nil when later than a day.
        func elapsed(at tick: Int) -> Int? {
            let (units, overflow) = (tick - last.tick).multipliedReportingOverflow(by: last.unitsPerTick)
            guard !overflow, units <= limit - last.elapsed else { return nil }
            return last.elapsed + units
        }

        for change in changes {
            guard let start = elapsed(at: change.tick) else { return nil }
            unitsPerTick = change.microsecondsPerQuarter
            if last.tick == change.tick { segments.removeLast() }
            last = Segment(tick: change.tick, elapsed: start, unitsPerTick: unitsPerTick)
            segments.append(last)
        }
        guard elapsed(at: endTick) != nil else { return nil }
        self.segments = segments
    }

    /// Formats 0 and 1: one timeline for all tracks, tempos taken from any. Format 2: one for each.
    static func timelines(
        format: Int, division: StandardMIDIFile.Division, tracks: [StandardMIDIFile.Track], name: String
    ) throws(MusicIOError) -> [Timeline] {
        let tooLong = MusicIOError(
            .unsupported, file: name, "the piece is longer than a day",
            remedy: "Check its tempo and its last events, and export it again")
        if format == 2 {
            var timelines: [Timeline] = []
            var total = 0.0
            for track in tracks {
                let timeline = Timeline(division: division, tempos: track.tempos, endTick: track.endTick)
                guard let timeline else { throw tooLong }
                total += timeline.durationSeconds
                guard total <= StandardMIDIFile.maximumSeconds else { throw tooLong }
                timelines.append(timeline)
            }
            return timelines
        }
        let tempos = tracks.enumerated().flatMap { track, value in
            value.tempos.map { (track: track, change: $0) }
        }
        let sorted = tempos.enumerated().sorted {
            ($0.element.change.tick, $0.offset) < ($1.element.change.tick, $1.offset)
        }
        let endTick = tracks.map(\.endTick).max() ?? 0
        let timeline = Timeline(division: division, tempos: sorted.map(\.element.change), endTick: endTick)
        guard let timeline else { throw tooLong }
        return [timeline]
    }
}

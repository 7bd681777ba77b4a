extension StandardMIDIFile {
    private struct Merged {
        let event: TrackEvent
        let track: Int
        /// Part of a note of no length: its track strikes and releases the key at one tick.
        var isMomentary = false
        /// Place in the result: twice the place by tick, odd where a strike follows a release; ties go by
        /// `order`.
        var rank = 0
        let order: Int
    }

    /// The events of all tracks by tick, in the order that `MIDIPerformance` describes.
    func merged() -> [TrackEvent] {
        guard tracks.count > 1 else { return tracks.first?.events ?? [] }
        var merged: [Merged] = []
        merged.reserveCapacity(tracks.reduce(0) { $0 + $1.events.count })
        var strikes = [Int](repeating: -1, count: 16 * 128)
        for (index, track) in tracks.enumerated() {
            let first = merged.count
            for event in track.events {
                merged.append(Merged(event: event, track: index, order: merged.count))
            }
            Self.markMomentaryNotes(&merged, from: first, &strikes)
        }
        merged.sort { ($0.event.tick, $0.order) < ($1.event.tick, $1.order) }
        for index in merged.indices { merged[index].rank = 2 * index }
        if Self.rankStrikesAfterReleases(&merged) {
            merged.sort { ($0.rank, $0.order) < ($1.rank, $1.order) }
        }
        return merged.map(\.event)
    }

    /// - Parameters:
    ///   - first: where the track begins.
    ///   - strikes: the last strike of each note; what lies before `first` is another track's.
    private static func markMomentaryNotes(_ events: inout [Merged], from first: Int, _ strikes: inout [Int])
    {
        for index in first..<events.count {
            switch events[index].event.noteKey {
            case .strike(let note): strikes[note] = index
            case .release(let note):
                let struck = strikes[note]
                if struck >= first, events[struck].event.tick == events[index].event.tick {
                    events[struck].isMomentary = true
                    events[index].isMomentary = true
                }
            case nil: break
            }
        }
    }

    /// Gives a strike the rank of the last release of its note in a later track at its tick; true if any
    /// moved.
    private static func rankStrikesAfterReleases(_ events: inout [Merged]) -> Bool {
        var lastRelease = [(tick: Int, index: Int)](repeating: (-1, 0), count: 16 * 128)
        var moved = false
        for index in events.indices.reversed() where !events[index].isMomentary {
            let tick = events[index].event.tick
            switch events[index].event.noteKey {
            case .release(let note):
                if lastRelease[note].tick != tick { lastRelease[note] = (tick, index) }
            case .strike(let note):
                let release = lastRelease[note]
                guard release.tick == tick, events[release.index].track > events[index].track else {
                    continue
                }
                events[index].rank = 2 * release.index + 1
                moved = true
            case nil: break
            }
        }
        return moved
    }
}

extension StandardMIDIFile.TrackEvent {
    fileprivate enum NoteKey {
        case strike(Int)
        case release(Int)
    }

    /// Channel · 128 + key of a note-on or note-off.
    fileprivate var noteKey: NoteKey? {
        switch event.kind {
        case .noteOn(let key, _): .strike(Int(event.channel & 15) << 7 | Int(key & 127))
        case .noteOff(let key, _): .release(Int(event.channel & 15) << 7 | Int(key & 127))
        default: nil
        }
    }
}

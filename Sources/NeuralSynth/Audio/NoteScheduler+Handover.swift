internal import Realtime

extension NoteScheduler {
    /// How long the sound takes from one synth to the next: 20 ms at 48 kHz.
    static var handoverSamples: Int {
        @_noLocks get { 960 }
    }

    /// From `time` on everything fades, notes that have been let go among it; no message may come after it.
    @_noLocks
    mutating func leave(at time: Int) {
        for i in 0..<tracks.count {
            switch tracks[i].phase {
            case .free, .stolen: break
            case .held, .pedal, .released: steal(i, at: time, over: NoteScheduler.handoverSamples)
            }
        }
    }

    /// Before its first message: the channels are as those of `old`, and the notes that keys or pedals hold there at `oldTime`
    /// go on here from event time 0, the oldest first. They rise from silence, and are as old as they are there.
    ///
    /// A note or a channel whose program selects none of the instruments here gets the one that its channel starts with.
    @_noLocks
    mutating func takeOver(from old: borrowing NoteScheduler, at oldTime: Int) {
        for channel in 0..<16 {
            channels[channel].takeOver(from: old.channels[channel])
            channels[channel].instrument = instrument(
                ofProgram: channels[channel].program, channel: channel)
            bendChanged(channel: channel, at: 0)
        }
        var last = UInt32(0)
        while true {
            let next = old.oldestHeld(after: last)
            if next < 0 { break }
            var note = old.tracks[next]
            last = note.ordinal
            note.instrument = instrument(ofProgram: note.program, channel: Int(note.channel))
            if note.instrument < 0 { continue }
            note.age += oldTime - note.onset
            (note.onset, note.silentAt) = (0, .max)
            begin(note, rise: NoteScheduler.handoverSamples)
        }
    }

    /// The track of the oldest note that a key or a pedal holds and that began after the one with that ordinal; −1 where
    /// there is none.
    @_noLocks
    private func oldestHeld(after ordinal: UInt32) -> Int {
        var best = -1
        for i in 0..<tracks.count
        where (tracks[i].phase == .held || tracks[i].phase == .pedal) && tracks[i].ordinal > ordinal {
            if best < 0 || tracks[i].ordinal < tracks[best].ordinal { best = i }
        }
        return best
    }

    @_noLocks
    private func instrument(ofProgram program: Int16, channel: Int) -> Int32 {
        if program < 0 || channels[channel].isPinned { return channels[channel].firstInstrument }
        let chosen = programs[Int(program)]
        return chosen < 0 ? channels[channel].firstInstrument : chosen
    }
}

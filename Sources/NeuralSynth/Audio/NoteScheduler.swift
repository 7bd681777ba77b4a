internal import CRealtime
internal import Realtime
internal import Signal

/// Turns MIDI messages into notes on tracks: allocation, stealing, pedal, controllers.
///
/// What it does is a function of the messages and their event times alone.
///
/// Room: audio.
@safe struct NoteScheduler: ~Copyable {
    /// How long a stolen note takes to fade: 5 ms at 48 kHz.
    static var stealSamples: Int {
        @_noLocks get { 240 }
    }

    var channels: FixedArray<ChannelState>
    var tracks: FixedArray<TrackState>
    private let commands: UnsafeMutablePointer<EventQueue<VoiceCommand>>
    let actions: EventQueue<MixAction>
    private let polyphony: Int
    private let sliceSamples: Int
    /// Per instrument and velocity: the note's level. Per instrument: samples of release.
    private let levels: FixedArray<Float>
    private let releaseSamples: FixedArray<Int>
    /// Per program: the instrument it selects, or −1.
    let programs: FixedArray<Int32>
    /// Per pan position: the gains left and right.
    private let panLeft: FixedArray<Float>
    private let panRight: FixedArray<Float>
    private var ordinal: UInt32 = 0
    private(set) var soundingPeak = 0
    /// Notes that found no track, or no place in a queue.
    private(set) var droppedNotes = 0
    /// Channels whose bend or gain changed at `changeTime` and has not been sent: of several changes at one time only
    /// the last counts, and one for which there is no room waits.
    private var changedBends: UInt16 = 0
    private var changedGains: UInt16 = 0
    private var changeTime = 0

    init(
        instruments: [NeuralInstrument], configuration: NeuralSynthConfiguration, tracks shared: VoiceTracks,
        sampleRate: Int
    ) {
        polyphony = configuration.voices
        sliceSamples = configuration.sliceSamples
        unsafe commands = shared.commands
        actions = EventQueue(
            minimumCapacity: 1 << 14, blank: .channelGain(time: 0, channel: 0, left: 0, right: 0))
        tracks = FixedArray(count: shared.count, repeating: TrackState())
        var channels = FixedArray(
            count: 16, repeating: ChannelState(instrument: -1, firstInstrument: -1, isPinned: false))
        for channel in 0..<16 {
            channels[channel].instrument = Int32(configuration.channelInstruments[channel] ?? -1)
            channels[channel].firstInstrument = channels[channel].instrument
            channels[channel].isPinned = configuration.pinnedChannels.contains(channel)
        }
        self.channels = channels
        var levels = FixedArray<Float>(count: instruments.count * 128, repeating: 0)
        var releases = FixedArray<Int>(count: instruments.count, repeating: 0)
        var programs = FixedArray<Int32>(count: 128, repeating: -1)
        for (index, instrument) in instruments.enumerated() {
            for velocity in 0..<128 {
                let base = Float(velocity) / 127
                levels[index * 128 + velocity] = instrument.gain * rt_pow(base, instrument.velocityExponent)
            }
            releases[index] = max(
                Int(instrument.releaseSeconds * Float(sampleRate)), NoteScheduler.stealSamples)
            for program in instrument.programs where programs[program] < 0 {
                programs[program] = Int32(index)
            }
        }
        self.levels = levels
        releaseSamples = releases
        self.programs = programs
        var left = FixedArray<Float>(count: 128, repeating: 1)
        var right = FixedArray<Float>(count: 128, repeating: 1)
        for pan in 0..<128 {
            // Constant power, unity in the middle; 0 and 1 are both hard left (MMA RP-036).
            let angle = Float(max(pan, 1) - 1) / 126 * (.pi / 2)
            left[pan] = Float(2).squareRoot() * rt_cos(angle)
            right[pan] = Float(2).squareRoot() * rt_sin(angle)
        }
        // To the bit, as before the first message.
        (left[64], right[64]) = (1, 1)
        panLeft = left
        panRight = right
    }

    /// Places in each queue that only the end of a note may take: a note that has begun can always end.
    private var reserve: Int {
        @_noLocks get { 2 * tracks.count + 2 }
    }

    /// Acts on `message`, which happens at `time` (event time; never goes back).
    @_noLocks
    mutating func handle(_ message: ChannelMessage, at time: Int) {
        if time > changeTime { sendChanges(before: time) }
        switch message.kind {
        case 0x90 where message.data2 > 0:
            noteOn(channel: message.channel, key: message.data1, velocity: message.data2, at: time)
        case 0x80, 0x90:
            noteOff(channel: message.channel, key: message.data1, at: time)
        case 0xB0:
            control(channel: message.channel, number: message.data1, value: message.data2, at: time)
        case 0xC0:
            channels[message.channel].program = Int16(message.data1)
            let instrument = programs[Int(message.data1)]
            if instrument >= 0, !channels[message.channel].isPinned {
                channels[message.channel].instrument = instrument
            }
        case 0xE0:
            channels[message.channel].bend = Int32(message.data2) << 7 + Int32(message.data1) - 8192
            bendChanged(channel: message.channel, at: time)
        default: break
        }
    }

    /// Silences every track at `time` within the fade of a stolen note, and resets the controllers.
    @_noLocks
    mutating func silence(at time: Int) {
        for channel in 0..<16 {
            allSoundOff(channel: channel, at: time)
            channels[channel].resetControllers()
            bendChanged(channel: channel, at: time)
            gainChanged(channel: channel, at: time)
        }
        sendChanges(before: time)
    }

    /// Sends the bends and gains that changed, as of when they changed. Those for which there is no room wait, and
    /// then count from `time` on.
    @_noLocks
    mutating func sendChanges(before time: Int) {
        if changedBends | changedGains == 0 { return }
        for channel in 0..<16 {
            let bit = UInt16(1) << UInt16(channel)
            if changedBends & bit != 0, unsafe commands.pointee.freeCount() > reserve {
                changedBends &= ~bit
                send(
                    VoiceCommand.bend(
                        time: changeTime, channel: UInt8(channel), semitones: channels[channel].bendSemitones)
                )
            }
            if changedGains & bit != 0, actions.freeCount() > reserve {
                changedGains &= ~bit
                sendGain(channel: channel)
            }
        }
        if time > changeTime { changeTime = time }
    }

    @_noLocks
    private mutating func noteOn(channel: Int, key: UInt8, velocity: UInt8, at time: Int) {
        let state = channels[channel]
        if state.instrument < 0 { return }
        retrigger(channel: channel, key: key, at: time)
        begin(
            TrackState(
                phase: .held, channel: UInt8(channel), key: key, velocity: velocity,
                instrument: state.instrument, program: state.program, onset: time), rise: 0)
    }

    /// Begins a note on a track of its own, where there is one. It rises from silence within `rise` samples.
    @_noLocks
    mutating func begin(_ note: TrackState, rise: Int) {
        let (time, channel) = (note.onset, Int(note.channel))
        var free = -1
        var sounding = 0
        for i in 0..<tracks.count {
            if tracks[i].phase != .free, tracks[i].silentAt <= time - sliceSamples { tracks[i].phase = .free }
            if tracks[i].phase == .free {
                if free < 0 { free = i }
            } else if tracks[i].phase != .stolen, tracks[i].silentAt > time {
                sounding += 1
            }
        }
        if free < 0 { free = justBegun(at: time) }
        let room = reserve + 2
        let places = unsafe commands.pointee.freeCount()
        if free < 0 || places < room || actions.freeCount() < room {
            droppedNotes += 1
            return
        }
        if sounding >= polyphony {
            steal(leastMissed(at: time), at: time)
            sounding -= 1
        }
        ordinal &+= 1
        channels[channel].noteCount &+= 1
        let started = VoiceCommand.start(
            time: time, track: Int32(free), channel: note.channel, key: note.key, velocity: note.velocity,
            instrument: note.instrument, noteCount: channels[channel].noteCount, age: note.age)
        let level = levels[Int(note.instrument) * 128 + Int(note.velocity)]
        send(started)
        send(.start(time: time, track: Int32(free), channel: note.channel, level: level, rise: Int32(rise)))
        tracks[free] = note
        tracks[free].ordinal = ordinal
        if sounding + 1 > soundingPeak { soundingPeak = sounding + 1 }
    }

    @_noLocks
    private mutating func noteOff(channel: Int, key: UInt8, at time: Int) {
        for i in 0..<tracks.count
        where tracks[i].phase == .held && Int(tracks[i].channel) == channel && tracks[i].key == key {
            if channels[channel].pedalIsDown { tracks[i].phase = .pedal } else { release(i, at: time) }
        }
    }

    /// A key that is struck again lets go of its old note.
    @_noLocks
    private mutating func retrigger(channel: Int, key: UInt8, at time: Int) {
        for i in 0..<tracks.count
        where (tracks[i].phase == .held || tracks[i].phase == .pedal)
            && Int(tracks[i].channel) == channel && tracks[i].key == key
        {
            release(i, at: time)
        }
    }

    @_noLocks
    private mutating func release(_ track: Int, at time: Int) {
        let length = releaseSamples[Int(tracks[track].instrument)]
        tracks[track].phase = .released
        tracks[track].silentAt = time + length
        send(VoiceCommand.release(time: time, track: Int32(track), silentAt: time + length))
        // The model fades by itself; this only makes sure that it ends.
        let taper = length / 2
        send(.fade(time: time, track: Int32(track), fade: Fade(start: time + length - taper, length: taper)))
    }

    @_noLocks
    mutating func steal(_ track: Int, at time: Int, over length: Int = NoteScheduler.stealSamples) {
        let end = time + length
        if tracks[track].silentAt <= end { return }
        tracks[track].phase = .stolen
        tracks[track].silentAt = end
        send(VoiceCommand.steal(time: time, track: Int32(track), silentAt: end))
        send(.fade(time: time, track: Int32(track), fade: Fade(start: time, length: length)))
    }

    /// The oldest of the notes that began at this very time: nothing has been heard of it, so another may have its
    /// track. −1 where there is none.
    @_noLocks
    private func justBegun(at time: Int) -> Int {
        var best = -1
        for i in 0..<tracks.count where tracks[i].onset == time {
            if best < 0 || tracks[i].ordinal < tracks[best].ordinal { best = i }
        }
        return best
    }

    /// The oldest released note, else the oldest that only the pedal holds, else the oldest.
    @_noLocks
    private func leastMissed(at time: Int) -> Int {
        var best = -1
        for i in 0..<tracks.count {
            let rank = tracks[i].phase.stealRank
            if rank == 0 || tracks[i].silentAt <= time { continue }
            if best < 0 {
                best = i
            } else if rank != tracks[best].phase.stealRank {
                if rank > tracks[best].phase.stealRank { best = i }
            } else if tracks[i].ordinal < tracks[best].ordinal {
                best = i
            }
        }
        return best
    }

    @_noLocks
    private mutating func control(channel: Int, number: UInt8, value: UInt8, at time: Int) {
        switch number {
        case 6:
            if channels[channel].registeredParameter == 0 {
                channels[channel].bendRange = Float(value)
                bendChanged(channel: channel, at: time)
            }
        case 7:
            channels[channel].volume = value
            gainChanged(channel: channel, at: time)
        case 10:
            channels[channel].pan = value
            gainChanged(channel: channel, at: time)
        case 11:
            channels[channel].expression = value
            gainChanged(channel: channel, at: time)
        case 64: pedal(channel: channel, isDown: value >= 64, at: time)
        case 98, 99: channels[channel].registeredParameter = 0x3FFF
        case 100:
            channels[channel].registeredParameter =
                channels[channel].registeredParameter & 0x3F80 | UInt16(value)
        case 101:
            channels[channel].registeredParameter =
                channels[channel].registeredParameter & 0x7F | UInt16(value) << 7
        case 120: allSoundOff(channel: channel, at: time)
        case 121:
            pedal(channel: channel, isDown: false, at: time)
            channels[channel].resetControllers()
            bendChanged(channel: channel, at: time)
            gainChanged(channel: channel, at: time)
        case 123, 124, 125, 126, 127: allNotesOff(channel: channel, at: time)
        default: break
        }
    }

    @_noLocks
    private mutating func pedal(channel: Int, isDown: Bool, at time: Int) {
        channels[channel].pedalIsDown = isDown
        if isDown { return }
        for i in 0..<tracks.count where tracks[i].phase == .pedal && Int(tracks[i].channel) == channel {
            release(i, at: time)
        }
    }

    /// As if every key were let go: the pedal still holds what it holds.
    @_noLocks
    private mutating func allNotesOff(channel: Int, at time: Int) {
        for i in 0..<tracks.count where tracks[i].phase == .held && Int(tracks[i].channel) == channel {
            if channels[channel].pedalIsDown { tracks[i].phase = .pedal } else { release(i, at: time) }
        }
    }

    @_noLocks
    private mutating func allSoundOff(channel: Int, at time: Int) {
        for i in 0..<tracks.count
        where tracks[i].phase != .free && tracks[i].phase != .stolen && Int(tracks[i].channel) == channel {
            steal(i, at: time)
        }
    }

    @_noLocks
    mutating func bendChanged(channel: Int, at time: Int) {
        changedBends |= UInt16(1) << UInt16(channel)
        changeTime = time
    }

    @_noLocks
    private mutating func gainChanged(channel: Int, at time: Int) {
        changedGains |= UInt16(1) << UInt16(channel)
        changeTime = time
    }

    @_noLocks
    private func sendGain(channel: Int) {
        let (left, right) = gains(channel: channel)
        send(.channelGain(time: changeTime, channel: UInt8(channel), left: left, right: right))
    }

    /// A channel's, as its controllers have it.
    @_noLocks
    func gains(channel: Int) -> (left: Float, right: Float) {
        let state = channels[channel]
        // General MIDI 2: amplitude goes with the square of volume and of expression. Volume 100 is unity here.
        let volume = Float(state.volume) / 100
        let expression = Float(state.expression) / 127
        let gain = volume * volume * expression * expression
        return (gain * panLeft[Int(state.pan)], gain * panRight[Int(state.pan)])
    }

    // Who sends has seen to it that there is room.
    @_noLocks
    private func send(_ command: VoiceCommand) { _ = unsafe commands.pointee.push(command) }

    @_noLocks
    private func send(_ action: MixAction) { _ = actions.push(action) }
}

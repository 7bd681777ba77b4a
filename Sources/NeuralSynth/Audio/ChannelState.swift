/// A MIDI channel's controllers.
struct ChannelState: BitwiseCopyable {
    /// An index into the instruments; −1 is silent.
    var instrument: Int32
    /// The one that the channel started with.
    var firstInstrument: Int32
    var isPinned: Bool
    /// The program that was chosen last; −1 where none was.
    var program: Int16 = -1
    var pedalIsDown = false
    /// −8192…8191, and the semitones at either end.
    var bend: Int32 = 0
    var bendRange: Float = 2
    /// Controllers 7, 11 and 10.
    var volume: UInt8 = 100
    var expression: UInt8 = 127
    var pan: UInt8 = 64
    /// Counts the channel's notes: each has noise of its own, whatever the other channels play.
    var noteCount: UInt32 = 0
    /// The registered parameter that data entry sets; 0x3FFF is none.
    var registeredParameter: UInt16 = 0x3FFF

    var bendSemitones: Float {
        @_noLocks get { Float(bend) / 8192 * bendRange }
    }

    /// As `old`, but for what belongs to the instruments and the notes.
    @_noLocks
    mutating func takeOver(from old: ChannelState) {
        program = old.program
        pedalIsDown = old.pedalIsDown
        bend = old.bend
        bendRange = old.bendRange
        volume = old.volume
        expression = old.expression
        pan = old.pan
        registeredParameter = old.registeredParameter
    }

    /// Reset All Controllers (RP-015): volume, pan and the instrument stay.
    @_noLocks
    mutating func resetControllers() {
        pedalIsDown = false
        bend = 0
        expression = 127
        registeredParameter = 0x3FFF
    }
}

/// What a track is doing.
struct TrackState: BitwiseCopyable {
    enum Phase: BitwiseCopyable {
        case free, held, pedal, released, stolen

        /// The higher, the sooner a note is stolen; 0 never is.
        var stealRank: Int {
            @_noLocks get {
                switch self {
                case .free, .stolen: 0
                case .held: 1
                case .pedal: 2
                case .released: 3
                }
            }
        }

        // The generic ones are not for the audio room.
        @_noLocks static func == (a: Phase, b: Phase) -> Bool {
            switch (a, b) {
            case (.free, .free), (.held, .held), (.pedal, .pedal), (.released, .released), (.stolen, .stolen):
                true
            default: false
            }
        }
        @_noLocks static func != (a: Phase, b: Phase) -> Bool { !(a == b) }
    }

    var phase = Phase.free
    var channel: UInt8 = 0
    var key: UInt8 = 0
    var velocity: UInt8 = 0
    var instrument: Int32 = 0
    /// The channel's when it began; −1 where none had been chosen.
    var program: Int16 = -1
    /// Counts notes: the lowest is the oldest.
    var ordinal: UInt32 = 0
    /// How old its note was when it began here, in samples: 0 but for one that another synth began.
    var age = 0
    /// The event times at which its note began and from which it is silent.
    var onset = 0
    var silentAt = Int.max

    @_noLocks
    init(
        phase: Phase = .free, channel: UInt8 = 0, key: UInt8 = 0, velocity: UInt8 = 0,
        instrument: Int32 = 0, program: Int16 = -1, onset: Int = 0
    ) {
        self.phase = phase
        self.channel = channel
        self.key = key
        self.velocity = velocity
        self.instrument = instrument
        self.program = program
        self.onset = onset
    }
}

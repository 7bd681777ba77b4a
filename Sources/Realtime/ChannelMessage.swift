/// A MIDI channel voice message: a status byte and two data bytes (MIDI 1.0 Detailed Specification, table 1).
public struct ChannelMessage: BitwiseCopyable, Sendable, Equatable {
    /// The message's kind in the upper four bits (0x8…0xE), the channel in the lower four.
    public var status: UInt8
    /// 0…127.
    public var data1: UInt8
    /// 0…127; 0 where the message has one data byte.
    public var data2: UInt8

    /// Bits above the seventh of the data bytes are dropped.
    @_noLocks
    public init(status: UInt8, data1: UInt8, data2: UInt8) {
        self.status = status
        self.data1 = data1 & 0x7F
        self.data2 = data2 & 0x7F
    }

    /// 0…15.
    @inlinable public var channel: Int { Int(status & 0x0F) }
    /// 0x80 note-off, 0x90 note-on, 0xB0 control change, 0xC0 program change, 0xE0 pitch bend.
    @inlinable public var kind: UInt8 { status & 0xF0 }
}

extension ChannelMessage {
    /// What ends a piece: pedal up and all notes off on every channel. Room: control.
    public static var lettingGo: [ChannelMessage] {
        (UInt8(0)..<16).flatMap { channel in
            [
                ChannelMessage(status: 0xB0 | channel, data1: 64, data2: 0),
                ChannelMessage(status: 0xB0 | channel, data1: 123, data2: 0),
            ]
        }
    }
}

/// A channel message and when it happens.
public struct TimedMessage: BitwiseCopyable, Sendable, Equatable {
    /// Frames from the start of the block that it is passed with.
    public var offsetFrames: Int
    public var message: ChannelMessage

    @_noLocks
    public init(offsetFrames: Int, message: ChannelMessage) {
        self.offsetFrames = offsetFrames
        self.message = message
    }
}

#if canImport(AudioToolbox) && canImport(CoreMIDI)
    internal import AudioToolbox
    internal import CoreMIDI
    internal import Realtime

    /// All of the machine's MIDI inputs, as MIDI 1.0 whatever they speak.
    ///
    /// Not verified: nobody has run it yet.
    ///
    /// Room: control; what comes in is put into `inbox` by Core MIDI's thread.
    @safe final class CoreMIDIInput {
        /// What came in and has not been played.
        final class Inbox: Sendable {
            let messages = ClockedMessages()
            /// Messages for which there was no room.
            let ignored = Counter()
        }

        let inbox = Inbox()
        private var client = MIDIClientRef()
        private var port = MIDIPortRef()

        /// - Throws: `refused`.
        init(client name: String) throws(DeviceError) {
            try Self.check(unsafe MIDIClientCreateWithBlock(name as CFString, &client) { _ in })
            let result = unsafe MIDIInputPortCreateWithProtocol(client, "in" as CFString, ._1_0, &port) {
                [inbox] list, _ in unsafe Self.take(list, inbox)
            }
            guard result == noErr else {
                close()
                throw Self.failure(result)
            }
            for index in 0..<MIDIGetNumberOfSources() {
                unsafe MIDIPortConnectSource(port, MIDIGetSource(index), nil)
            }
        }

        func close() {
            if client != 0 { MIDIClientDispose(client) }
            client = 0
        }

        private static func take(_ list: UnsafePointer<MIDIEventList>, _ inbox: Inbox) {
            for packet in unsafe list.unsafeSequence() {
                let time = unsafe packet.pointee.timeStamp
                // No time is now, and so is what a source says of the future.
                let now = AudioGetCurrentHostTime()
                let nanoseconds = Int64(
                    clamping: AudioConvertHostTimeToNanos(time == 0 ? now : min(time, now)))
                let count = unsafe Int(packet.pointee.wordCount)
                unsafe withUnsafeBytes(of: packet.pointee.words) { bytes in
                    let words = unsafe bytes.assumingMemoryBound(to: UInt32.self)
                    var index = 0
                    while index < min(count, words.count) {
                        let word = unsafe words[index]
                        index += packetWords(word)
                        guard let message = channelMessage(word) else { continue }
                        if !inbox.messages.push(message, at: nanoseconds) { inbox.ignored.add(1) }
                    }
                }
            }
        }

        /// Words of the Universal MIDI Packet that begins with `word` (M2-104-UM, 2.1.4).
        private static func packetWords(_ word: UInt32) -> Int {
            switch word >> 28 {
            case 0, 1, 2, 6, 7: 1
            case 3, 4, 8, 9, 10: 2
            case 11, 12: 3
            default: 4
            }
        }

        /// A channel voice message of MIDI 1.0 (M2-104-UM, 7.3), which is one word; nil for others.
        private static func channelMessage(_ word: UInt32) -> ChannelMessage? {
            guard word >> 28 == 2 else { return nil }
            return ChannelMessage(
                status: UInt8(truncatingIfNeeded: word >> 16),
                data1: UInt8(truncatingIfNeeded: word >> 8) & 0x7F,
                data2: UInt8(truncatingIfNeeded: word) & 0x7F)
        }

        private static func check(_ status: OSStatus) throws(DeviceError) {
            if status != noErr { throw failure(status) }
        }

        private static func failure(_ status: OSStatus) -> DeviceError {
            DeviceError(
                .refused, "Core MIDI does not give its inputs (error \(status)). Start the program again.")
        }
    }
#endif

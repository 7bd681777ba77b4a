import MusicIO

/// Any bytes are a piece or an error; a piece is in order of time, at most a day long, and survives being written.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMIDI(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    guard let song = try? StandardMIDIFile(bytes: bytes, name: "fuzz.mid") else { return 0 }

    let piece = song.performance()
    precondition((0...StandardMIDIFile.maximumSeconds).contains(piece.durationSeconds))
    precondition(piece.events.count == song.tracks.reduce(0) { $0 + $1.events.count })
    var last = 0.0
    for timed in piece.events {
        precondition(timed.seconds >= last && timed.event.channel < 16)
        last = timed.seconds
        _ = timed.sample(at: 768_000)
    }
    precondition(last <= piece.durationSeconds)

    // A title longer than the reader keeps would be cut again.
    var tracks = song.tracks
    for index in tracks.indices { tracks[index].name = nil }
    let format = song.format == 0 && tracks.count > 1 ? 1 : song.format
    let writer = MIDIFileWriter(format: format, division: song.division, tracks: tracks)
    if let written = try? writer.bytes() {
        let again = try? StandardMIDIFile(bytes: written, name: "again.mid")
        precondition(again?.tracks == tracks)
    }
    return 0
}

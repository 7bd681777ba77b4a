/// Compares what a WAV or AIFF header promises with the file's size: libsndfile silently reads what is there.
///
/// - Throws: `truncated`.
func checkDeclaredLength(of file: borrowing ReadableFile, path: String) throws(MusicIOError) {
    guard let head = file.bytes(at: 0, count: 12), head.count == 12 else { return }
    let isBigEndian: Bool
    let dataType: [UInt8]
    switch (String(decoding: head[0..<4], as: UTF8.self), String(decoding: head[8..<12], as: UTF8.self)) {
    case ("RIFF", "WAVE"): (isBigEndian, dataType) = (false, Array("data".utf8))
    case ("FORM", "AIFF"), ("FORM", "AIFC"): (isBigEndian, dataType) = (true, Array("SSND".utf8))
    default: return
    }
    var offset = 12
    for _ in 0..<10_000 {
        guard let chunk = file.bytes(at: offset, count: 8), chunk.count == 8 else { return }
        let bytes = isBigEndian ? Array(chunk[4...]) : chunk[4...].reversed()
        let length = bytes.reduce(0) { $0 << 8 | Int($1) }
        guard chunk[..<4].elementsEqual(dataType) else {
            offset += 8 + length + length % 2
            continue
        }
        // Programs that write to a pipe leave the length open: 0, or as large as it goes.
        guard length < 0x7FFF_0000, offset + 8 + length > file.sizeBytes else { return }
        throw MusicIOError(
            .truncated, file: path, at: file.sizeBytes,
            "the file ends \(offset + 8 + length - file.sizeBytes) bytes before its sound does",
            remedy: "Copy or download it again")
    }
}

internal import CSndfile

/// The one owner of a libsndfile handle.
///
/// libsndfile does its input and output through this value's callbacks, so that no failed system call is
/// lost: some of its codecs ignore them.
@safe struct SoundHandle: ~Copyable {
    /// What the callbacks see; its address is constant for the handle's life.
    @safe private struct Stream {
        let descriptor: Int32
        /// Nil after `close`.
        var handle: OpaquePointer?
        var failure: PlatformError?
    }

    let information: SF_INFO
    private let stream: UnsafeMutablePointer<Stream>
    private var handle: OpaquePointer? { unsafe stream.pointee.handle }

    /// - Parameter descriptor: outlives this value; its owner closes it.
    init(
        writing descriptor: Int32, name: String, format: Int32, sampleRate: Int, channels: Int
    ) throws(MusicIOError) {
        var information = SF_INFO()
        information.format = format
        information.samplerate = Int32(sampleRate)
        information.channels = Int32(channels)
        guard unsafe sf_format_check(&information) != 0 else {
            throw MusicIOError(
                .unsupported, file: name,
                "this file type cannot hold \(channels) channels at \(sampleRate) Hz",
                remedy: "Choose another extension")
        }
        let (handle, stream) = unsafe Self.open(descriptor, SFM_WRITE, &information)
        guard let handle = unsafe handle else {
            let error = unsafe Self.failure(of: nil, stream, name: name)
            unsafe stream.deinitializeAndDeallocate()
            throw error
        }
        unsafe stream.pointee.handle = handle
        unsafe self.stream = stream
        self.information = information
        // A PEAK chunk would carry the time of day. (RF64 keeps its own.)
        _ = unsafe sf_command(handle, Int32(SFC_SET_ADD_PEAK_CHUNK), nil, Int32(SF_FALSE))
    }

    /// - Parameter descriptor: outlives this value; its owner closes it.
    init(reading descriptor: Int32, name: String) throws(MusicIOError) {
        var information = SF_INFO()
        let (handle, stream) = unsafe Self.open(descriptor, SFM_READ, &information)
        guard let handle = unsafe handle, Self.isSure(of: information.format) else {
            let failure = unsafe stream.pointee.failure
            let reason =
                unsafe handle == nil
                ? unsafe String(cString: sf_strerror(nil)) : "it only resembles a rare format"
            if let handle = unsafe handle { _ = unsafe sf_close(handle) }
            unsafe stream.deinitializeAndDeallocate()
            if let failure { throw failure.reading(name) }
            throw MusicIOError(
                .unknownFormat, file: name,
                "this is no sound file that can be read (\(Self.sentence(reason)))",
                remedy: "Choose a .wav, .flac, .aiff, .ogg or .mp3 file")
        }
        unsafe stream.pointee.handle = handle
        unsafe self.stream = stream
        self.information = information
    }

    /// Whether the format has a signature that chance does not make: libsndfile takes any bytes that start with
    /// 01 04 for a sampler's sound.
    private static func isSure(of format: Int32) -> Bool {
        // 0x230000 is MPEG audio, which headers before libsndfile 1.1 do not name.
        let sure = [
            SF_FORMAT_WAV, SF_FORMAT_WAVEX, SF_FORMAT_RF64, SF_FORMAT_W64, SF_FORMAT_AIFF, SF_FORMAT_AU,
            SF_FORMAT_CAF, SF_FORMAT_FLAC, SF_FORMAT_OGG, 0x230000,
        ]
        return sure.contains { Int32($0) == format & Int32(SF_FORMAT_TYPEMASK) }
    }

    deinit {
        abandon()
        unsafe stream.deinitializeAndDeallocate()
    }

    /// Appends whole frames.
    func write(_ block: Span<Float>, name: String) throws(MusicIOError) {
        let written = unsafe block.withUnsafeBufferPointer { samples in
            unsafe sf_write_float(handle, samples.baseAddress, sf_count_t(samples.count))
        }
        try check(written, of: block.count, name: name)
    }

    /// Appends whole frames of samples whose full scale is 2^31.
    func write(_ block: Span<Int32>, name: String) throws(MusicIOError) {
        let written = unsafe block.withUnsafeBufferPointer { samples in
            unsafe sf_write_int(handle, samples.baseAddress, sf_count_t(samples.count))
        }
        try check(written, of: block.count, name: name)
    }

    private func check(_ written: sf_count_t, of count: Int, name: String) throws(MusicIOError) {
        guard written == count, unsafe stream.pointee.failure == nil else {
            throw unsafe Self.failure(of: handle, stream, name: name)
        }
    }

    /// Ends the handle without a word about failures. The descriptor must still be open.
    func abandon() {
        guard let open = unsafe handle else { return }
        unsafe stream.pointee.handle = nil
        _ = unsafe sf_close(open)
    }

    /// Writes what is buffered and the header, and ends the handle.
    func close(name: String) throws(MusicIOError) {
        guard let open = unsafe handle else { return }
        unsafe stream.pointee.handle = nil
        // Else a FLAC file without a frame would be a file without a byte.
        _ = unsafe sf_command(open, Int32(SFC_UPDATE_HEADER_NOW), nil, 0)
        let status = unsafe sf_close(open)
        guard status == 0, unsafe stream.pointee.failure == nil else {
            throw unsafe Self.failure(of: nil, stream, name: name)
        }
    }

    /// Reads up to `block.count` samples, whole frames; how many there were.
    func read(into block: inout MutableSpan<Float>, name: String) throws(MusicIOError) -> Int {
        let count = block.count - block.count % Int(information.channels)
        let got = unsafe block.withUnsafeMutableBufferPointer { samples in
            unsafe sf_read_float(handle, samples.baseAddress, sf_count_t(count))
        }
        if let failure = unsafe stream.pointee.failure { throw failure.reading(name) }
        return Int(got)
    }

    /// Moves the reading place; false where the file cannot.
    func seek(toFrame frame: Int) -> Bool {
        unsafe sf_seek(handle, sf_count_t(frame), 0) == sf_count_t(frame)
    }

    /// libsndfile's words for what is wrong with what was read, if anything is.
    var complaint: String? {
        guard unsafe sf_error(handle) != 0 else { return nil }
        return Self.sentence(unsafe String(cString: sf_strerror(handle)))
    }

    private static func failure(
        of handle: OpaquePointer?, _ stream: UnsafeMutablePointer<Stream>, name: String
    ) -> MusicIOError {
        if let failure = unsafe stream.pointee.failure { return failure.writing(name) }
        let words = sentence(unsafe String(cString: sf_strerror(handle)))
        return MusicIOError(
            .writeFailed, file: name, "writing failed (\(words)); nothing was left",
            remedy: "Check the disk, or choose another format")
    }

    private static func sentence(_ words: String) -> String {
        var words = words.drop { $0 == " " }
        while let last = words.last, last == "." || last == " " || last == "\n" { words.removeLast() }
        return String(words)
    }

    private static func open(
        _ descriptor: Int32, _ mode: Int, _ information: inout SF_INFO
    ) -> (OpaquePointer?, UnsafeMutablePointer<Stream>) {
        let stream = UnsafeMutablePointer<Stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: Stream(descriptor: descriptor))
        var callbacks = unsafe SF_VIRTUAL_IO(
            get_filelen: { user in
                let stream = unsafe Self.stream(user)
                return sf_count_t(Platform.kindAndSize(of: unsafe stream.pointee.descriptor)?.size ?? 0)
            },
            seek: { offset, whence, user in
                let stream = unsafe Self.stream(user)
                let origin: Platform.Origin = whence == 0 ? .start : whence == 1 ? .current : .end
                return sf_count_t(
                    Platform.seek(unsafe stream.pointee.descriptor, Int(offset), from: origin))
            },
            read: { bytes, count, user in
                let stream = unsafe Self.stream(user)
                let buffer = unsafe UnsafeMutableRawBufferPointer(start: bytes, count: Int(count))
                switch unsafe Platform.readAllBytes(stream.pointee.descriptor, into: buffer) {
                case (let done, nil): return sf_count_t(done)
                case (let done, let error?):
                    unsafe stream.pointee.failure = error
                    return sf_count_t(done)
                }
            },
            write: { bytes, count, user in
                let stream = unsafe Self.stream(user)
                let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: Int(count))
                let (done, error) = unsafe Platform.writeBytes(stream.pointee.descriptor, buffer)
                if let error, unsafe stream.pointee.failure == nil { unsafe stream.pointee.failure = error }
                return sf_count_t(done)
            },
            tell: { user in
                let stream = unsafe Self.stream(user)
                return sf_count_t(Platform.seek(unsafe stream.pointee.descriptor, 0, from: .current))
            })
        let handle = unsafe sf_open_virtual(&callbacks, Int32(mode), &information, stream)
        return unsafe (handle, stream)
    }

    private static func stream(_ user: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<Stream> {
        unsafe user!.assumingMemoryBound(to: Stream.self)
    }
}

extension UnsafeMutablePointer {
    fileprivate func deinitializeAndDeallocate() {
        unsafe deinitialize(count: 1)
        unsafe deallocate()
    }
}

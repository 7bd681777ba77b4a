import MusicIO
import TestSupport
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite struct AudioFailureTests {
    private static func open(
        _ path: String, sampleRate: Int = 48_000, channels: Int = 2,
        bitDepth: AudioFileWriter.BitDepth = .pcm24,
        expectedFrames: Int = 0
    ) -> MusicIOError.Code? {
        MusicIOError.caught { () throws(MusicIOError) in
            _ = try AudioFileWriter(
                path: path, sampleRate: sampleRate, channels: channels, bitDepth: bitDepth,
                expectedFrames: expectedFrames)
        }?.code
    }

    private static func read(_ path: String) -> MusicIOError? {
        MusicIOError.caught { () throws(MusicIOError) in
            var reader = try AudioFileReader(path: path)
            _ = try reader.readAll()
        }
    }

    @Test func whatCannotBeWrittenIsToldBeforeTheFirstSample() throws {
        let folder = try TemporaryFolder()
        let wav = folder.path("a.wav")
        #expect(Self.open(wav, sampleRate: 0) == .invalidSampleRate)
        #expect(Self.open(folder.path("a.flac"), sampleRate: 700_000) == .invalidSampleRate)
        #expect(Self.open(wav, channels: 0) == .invalidArgument)
        #expect(Self.open(folder.path("a.flac"), channels: 9) == .invalidArgument)
        #expect(Self.open(folder.path("a.flac"), bitDepth: .float32) == .unsupported)
        #expect(Self.open(folder.path("a.aiff"), expectedFrames: 1 << 30) == .tooLarge)
        for name in ["a.mp3", "a", "a.", "wav"] {
            #expect(Self.open(folder.path(name)) == .unsupported, "\(name)")
        }
        #expect(Self.open(folder.path("none/a.wav")) == .unwritable)
        try #require(unsafe mkdir(folder.path("folder.wav"), 0o755) == 0)
        #expect(Self.open(folder.path("folder.wav")) == .unwritable)
        #expect(Self.open(folder.path) == .unwritable)
        #expect(folder.contents == ["folder.wav"])
    }

    @Test func aFolderThatTakesNoFilesIsToldBeforeTheFirstSample() throws {
        // Root may write to any folder on a disk; nobody may in /proc.
        #if os(Linux)
            #expect(Self.open("/proc/a.wav") == .unwritable)
        #endif
        let folder = try TemporaryFolder()
        try folder.write([1], to: "kept.wav")
        try #require(unsafe chmod(folder.path("kept.wav"), 0o444) == 0)
        if geteuid() != 0 { #expect(Self.open(folder.path("kept.wav")) == .unwritable) }
        #expect(try folder.bytes(of: "kept.wav") == [1])
    }

    @Test func anUnfinishedFileIsRemovedAndTheOldOneStays() throws {
        let folder = try TemporaryFolder()
        try folder.write([1, 2, 3], to: "a.wav")
        do {
            var writer = try AudioFileWriter(path: folder.path("a.wav"), sampleRate: 48_000)
            try writer.write(Sound.fading(frames: 5000).span)
            #expect(folder.contents.count == 2)
            #expect(folder.contents.contains { folder.path($0) == writer.partialPath })
        }
        #expect(folder.contents == ["a.wav"])
        #expect(try folder.bytes(of: "a.wav") == [1, 2, 3])
    }

    @Test func aLinkIsFollowed() throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "real.wav")
        try #require(unsafe symlink("real.wav", folder.path("link.wav")) == 0)
        let summary = try Sound.write([0, 0], to: folder.path("link.wav"), bitDepth: .pcm16)
        #expect(summary.path.hasSuffix("/real.wav"))
        #expect(try folder.bytes(of: "real.wav").count == 48)
        #expect(folder.contents == ["link.wav", "real.wav"])
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func whatIsNotANumberIsRefusedWithItsPlace(sample: Float) throws {
        let folder = try TemporaryFolder()
        var writer = try AudioFileWriter(path: folder.path("a.flac"), sampleRate: 48_000)
        try writer.write([0, 0, 0, 0].span)
        let failure = MusicIOError.caught { () throws(MusicIOError) in
            try writer.write([0, 0, 0, sample].span)
        }
        #expect(failure?.code == .invalidSample)
        #expect(failure?.reason == "sample 2 of frame 3 is not a finite number")
        let repeated = MusicIOError.caught { () throws(MusicIOError) in try writer.write([0, 0].span) }
        #expect(repeated?.code == .invalidSample)
        do {
            _ = try writer.finish()
            Issue.record("a writer that failed has finished")
        } catch {
            #expect(error.code == .invalidSample)
        }
        #expect(folder.contents.isEmpty)
    }

    @Test func halfAFrameIsRefused() throws {
        let folder = try TemporaryFolder()
        var writer = try AudioFileWriter(path: folder.path("a.wav"), sampleRate: 48_000)
        let failure = MusicIOError.caught { () throws(MusicIOError) in try writer.write([0, 0, 0].span) }
        #expect(failure?.code == .invalidArgument)
    }

    @Test(arguments: ["a.wav", "a.flac", "a.aiff"])
    func aCutFileIsRefused(name: String) throws {
        let folder = try TemporaryFolder()
        _ = try Sound.write(Sound.fading(frames: 20_000), to: folder.path(name), bitDepth: .pcm24)
        let bytes = try folder.bytes(of: name)
        for count in [0, 1, 11, 30, bytes.count / 2, bytes.count - 1000] {
            try folder.write(Array(bytes[..<count]), to: "cut")
            let code = Self.read(folder.path("cut"))?.code
            #expect(code != nil, "\(count) of \(bytes.count) bytes")
            if count == 0 || count >= bytes.count / 2 { #expect(code == .truncated || code == .malformed) }
        }
    }

    @Test func bytesThatAreNoSoundAreRefused() throws {
        var generator = SeededGenerator.announced()
        let folder = try TemporaryFolder()
        for _ in 0..<50 {
            let bytes = (0..<4000).map { _ in UInt8.random(in: 0...255, using: &generator) }
            try folder.write(bytes, to: "noise.wav")
            #expect(Self.read(folder.path("noise.wav"))?.code == .unknownFormat, "seed \(generator.seed)")
        }
        // The start of a sampler's format, which is two bytes long.
        try folder.write([1, 4] + [UInt8](repeating: 9, count: 4000), to: "noise.wav")
        #expect(Self.read(folder.path("noise.wav"))?.code == .unknownFormat)
        try folder.write(MIDIBytes.song(), to: "song.mid")
        #expect(Self.read(folder.path("song.mid"))?.code == .unknownFormat)
        #expect(Self.read(folder.path)?.code == .unreadable)
        #expect(Self.read("/dev/null")?.code == .unreadable)
        #expect(Self.read(folder.path("none.wav"))?.code == .fileNotFound)
    }

    @Test func noMutationOfASoundFileTraps() throws {
        var generator = SeededGenerator.announced()
        let folder = try TemporaryFolder()
        for name in ["a.wav", "a.flac", "a.aiff"] {
            _ = try Sound.write(Sound.fading(frames: 600), to: folder.path(name), bitDepth: .pcm24)
            let valid = try folder.bytes(of: name)
            for _ in 0..<300 {
                var bytes = valid
                for _ in 0..<3 {
                    // Mostly in the headers.
                    let reach = Bool.random(using: &generator) ? 64 : bytes.count
                    bytes[Int.random(in: 0..<reach, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
                try folder.write(bytes, to: "mutated")
                _ = MusicIOError.caught { () throws(MusicIOError) in
                    var reader = try AudioFileReader(path: folder.path("mutated"))
                    _ = try reader.readAll(limitFrames: 100_000)
                }
            }
        }
    }

    @Test func aFloatFileThatHoldsNoNumbersIsRefused() throws {
        let folder = try TemporaryFolder()
        _ = try Sound.write(Sound.fading(frames: 100), to: folder.path("a.wav"), bitDepth: .float32)
        var bytes = try folder.bytes(of: "a.wav")
        bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
        try folder.write(bytes, to: "a.wav")
        let failure = Self.read(folder.path("a.wav"))
        #expect(failure?.code == .invalidSample)
        #expect(failure?.reason == "sample 2 of frame 99 is not a finite number")
    }

    /// A file-size limit stands for a full disk: the system refuses to write on.
    @Test(arguments: ["a.wav", "a.flac", "a.aiff"])
    func aFullDiskIsAnErrorAndLeavesNothing(name: String) async {
        await #expect(processExitsWith: .success) { [name] in
            let folder = try TemporaryFolder()
            try folder.write([7], to: name)
            _ = signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 100_000, rlim_max: 100_000)
            #if canImport(Darwin)
                let status = unsafe setrlimit(RLIMIT_FSIZE, &limit)
            #else
                let status = unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            #endif
            try #require(status == 0)
            let failure = MusicIOError.caught { () throws(MusicIOError) in
                var generator = SeededGenerator(seed: 1)
                let noise = (0..<100_000).map { _ in Float.random(in: -1...1, using: &generator) }
                _ = try Sound.write(noise, to: folder.path(name), bitDepth: .pcm24)
            }
            #expect(failure?.code == .writeFailed)
            #expect(failure?.systemError == EFBIG)
            #expect(failure?.file == folder.path(name))
            #expect(folder.contents == [name])
            #expect(try folder.bytes(of: name) == [7])
        }
    }
}

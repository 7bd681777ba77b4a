internal import CSoxr

/// Changes the sample rate of a stream at libsoxr's very high quality (28 bits): linear phase, flat to 91 %
/// of the lower Nyquist frequency, aliases below −160 dB from there on.
///
/// ```swift
/// var converter = try SampleRateConverter(from: 48_000, to: 44_100, channels: 2)
/// var output: [Float] = []
/// try converter.convert(block.span, appendingTo: &output)     // as often as there are blocks
/// try converter.finish(appendingTo: &output)
/// ```
///
/// The output is in time with the input (libsoxr's delay is taken off) and has `frames(for:)` frames in all.
/// Its bits do not depend on how the input is cut into blocks. Equal rates copy.
///
/// Room: control only, for files: it allocates while it works.
@safe public struct SampleRateConverter: ~Copyable {
    public let inputRate: Int
    public let outputRate: Int
    public let channels: Int
    public private(set) var inputFrames = 0
    public private(set) var outputFrames = 0

    private let handle: OpaquePointer?
    private var block: [Float]
    private var isFinished = false

    /// - Parameters:
    ///   - inputRate: 1…768,000 Hz.
    ///   - outputRate: 1…768,000 Hz.
    ///   - channels: 1…64, interleaved.
    /// - Throws: `invalidSampleRate`, `invalidArgument`.
    public init(from inputRate: Int, to outputRate: Int, channels: Int) throws(MusicIOError) {
        for rate in [inputRate, outputRate] where !(1...768_000).contains(rate) {
            throw MusicIOError(
                .invalidSampleRate, file: "", "a sample rate of \(rate) Hz cannot be converted",
                remedy: "Choose one from 1 to 768000 Hz, such as 48000")
        }
        guard (1...64).contains(channels) else {
            throw MusicIOError(
                .invalidArgument, file: "", "\(channels) channels cannot be converted",
                remedy: "Choose from 1 to 64")
        }
        unsafe handle = try Self.create(inputRate, outputRate, channels)
        self.inputRate = inputRate
        self.outputRate = outputRate
        self.channels = channels
        block = Array(repeating: 0, count: inputRate == outputRate ? 0 : 4096 * channels)
    }

    /// Nil for equal rates.
    private static func create(_ inputRate: Int, _ outputRate: Int, _ channels: Int) throws(MusicIOError)
        -> soxr_t?
    {
        guard inputRate != outputRate else { return nil }
        var error: soxr_error_t?
        var types = unsafe soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I)
        var quality = unsafe soxr_quality_spec(UInt(SOXR_VHQ), 0)
        var runtime = unsafe soxr_runtime_spec(1)
        let created = unsafe soxr_create(
            Double(inputRate), Double(outputRate), UInt32(channels), &error, &types, &quality, &runtime)
        guard let created = unsafe created, unsafe error == nil else {
            let words = unsafe error.map { unsafe String(cString: $0) } ?? "no memory"
            throw MusicIOError(
                .invalidSampleRate, file: "", "\(inputRate) Hz cannot become \(outputRate) Hz (\(words))",
                remedy: "Choose rates nearer to each other")
        }
        return unsafe created
    }

    deinit {
        if let handle = unsafe handle { unsafe soxr_delete(handle) }
    }

    /// How long the whole output is for so many input frames: `frames · outputRate / inputRate`, rounded.
    public func frames(for inputFrames: Int) -> Int {
        (inputFrames * outputRate * 2 + inputRate) / (inputRate * 2)
    }

    /// Takes interleaved samples, whole frames, and appends what output is ready.
    ///
    /// - Throws: `invalidArgument` (not whole frames, or after `finish`).
    public mutating func convert(_ input: Span<Float>, appendingTo output: inout [Float]) throws(MusicIOError)
    {
        guard input.count % channels == 0 else {
            throw MusicIOError(
                .invalidArgument, file: "", "a block of \(input.count) samples is no whole number of frames",
                remedy: "Pass \(channels) interleaved samples for each frame")
        }
        guard !isFinished else {
            throw MusicIOError(
                .invalidArgument, file: "", "the converter was finished already", remedy: "Make a new one")
        }
        inputFrames += input.count / channels
        guard unsafe handle != nil else {
            for index in input.indices { output.append(input[index]) }
            outputFrames += input.count / channels
            return
        }
        var start = 0
        repeat {
            let (taken, given) = try process(input.extracting(start...))
            start += taken * channels
            append(given, to: &output)
            guard taken > 0 || given > 0 else { break }
        } while start < input.count
    }

    /// Appends the rest of the output.
    ///
    /// - Throws: `invalidArgument` (finished already).
    public mutating func finish(appendingTo output: inout [Float]) throws(MusicIOError) {
        guard !isFinished else {
            throw MusicIOError(
                .invalidArgument, file: "", "the converter was finished already", remedy: "Make a new one")
        }
        isFinished = true
        guard unsafe handle != nil else { return }
        let total = frames(for: inputFrames)
        while outputFrames < total {
            let (_, given) = try process(nil)
            guard given > 0 else { break }
            append(min(given, total - outputFrames), to: &output)
        }
        // The filter's tail has ended: what is left to the exact length is silence.
        output.append(contentsOf: repeatElement(0, count: (total - outputFrames) * channels))
        outputFrames = total
    }

    /// Converts a whole sound, interleaved.
    public static func convert(
        _ samples: [Float], from inputRate: Int, to outputRate: Int, channels: Int
    ) throws(MusicIOError) -> [Float] {
        var converter = try SampleRateConverter(from: inputRate, to: outputRate, channels: channels)
        var output: [Float] = []
        output.reserveCapacity(converter.frames(for: samples.count / channels) * channels)
        try converter.convert(samples.span, appendingTo: &output)
        try converter.finish(appendingTo: &output)
        return output
    }

    private mutating func append(_ frames: Int, to output: inout [Float]) {
        output += block[..<(frames * channels)]
        outputFrames += frames
    }

    /// One step into `block`; nil means that the input has ended. Frames taken and given.
    private mutating func process(_ input: Span<Float>?) throws(MusicIOError) -> (taken: Int, given: Int) {
        let (handle, channels) = unsafe (handle, channels)
        var taken = 0
        var given = 0
        let status = unsafe block.withUnsafeMutableBufferPointer { output in
            let room = output.count / channels
            guard let input else {
                return unsafe soxr_process(handle, nil, 0, nil, output.baseAddress, room, &given)
            }
            return unsafe input.withUnsafeBufferPointer { samples in
                unsafe soxr_process(
                    handle, samples.baseAddress, samples.count / channels, &taken, output.baseAddress, room,
                    &given)
            }
        }
        guard let status = unsafe status else { return (taken, given) }
        throw MusicIOError(
            .invalidArgument, file: "",
            "the sample rate could not be converted (\(unsafe String(cString: status)))",
            remedy: "Free some memory")
    }
}

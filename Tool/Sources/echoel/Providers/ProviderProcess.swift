import Foundation

/// One `ProviderWorker` or `StartupWorker` as a process.
final class ProviderProcess {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var received = Data()

    /// - Parameters:
    ///   - runtime: the folder of the ONNX Runtime to open; nil for the one that is found.
    ///   - program: nil for this one.
    init(
        command: String = "bench-provider", _ arguments: [String], runtime: String?, program: String? = nil
    ) throws {
        process.executableURL = URL(fileURLWithPath: program ?? Self.program)
        process.arguments = [command] + arguments
        var environment = ProcessInfo.processInfo.environment
        if let runtime { environment["ECHOEL_ONNXRUNTIME"] = runtime }
        process.environment = environment
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        // What it no longer reads is an error of the write, not this process's end.
        signal(SIGPIPE, SIG_IGN)
        try process.run()
        try? output.fileHandleForWriting.close()
    }

    deinit { stop() }

    private static let program =
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path == "/proc/self/exe"
        ? Bundle.main.executablePath ?? CommandLine.arguments[0]
        : URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path

    /// Why there is no answer.
    struct Silence: Error { let reason: String }

    /// Its next line, decoded.
    ///
    /// - Throws: `Silence` when it has ended or takes too long, `Interrupted`.
    func answer<Value: Decodable>(_ type: Value.Type, within seconds: Double) throws -> Value {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            while let newline = received.firstIndex(of: 10) {
                let line = received[received.startIndex..<newline]
                received = Data(received[received.index(after: newline)...])
                let mark = Data(ProviderWorker.mark.utf8)
                guard line.starts(with: mark) else { continue }
                if let value = try? JSONDecoder().decode(type, from: Data(line.dropFirst(mark.count))) {
                    return value
                }
            }
            try Interruption.check()
            guard ContinuousClock.now < end else {
                stop()
                throw Silence(reason: "it did not answer in \(Int(seconds)) s.")
            }
            var poll = pollfd(
                fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe Foundation.poll(&poll, 1, 200) > 0 else { continue }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { throw Silence(reason: ending()) }
            received.append(more)
        }
    }

    func ask(_ runs: Int) { try? input.fileHandleForWriting.write(contentsOf: Data("\(runs)\n".utf8)) }

    func stop() {
        try? input.fileHandleForWriting.close()
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    private func ending() -> String {
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal
            ? "its process was ended by signal \(process.terminationStatus)."
            : "its process ended by itself, with \(process.terminationStatus)."
    }
}

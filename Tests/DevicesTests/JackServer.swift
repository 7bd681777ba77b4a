import Foundation

/// A JACK server without a sound card, of a name of its own, for as long as it is held.
final class JackServer {
    static let program = ["/usr/bin/jackd", "/usr/local/bin/jackd", "/opt/homebrew/bin/jackd"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    static let name = "echoel-test-\(getpid())"

    private let process = Process()

    init(sampleRate: Int = 48_000, blockFrames: Int = 256) throws {
        // Clients of this process find it by its name.
        unsafe setenv("JACK_DEFAULT_SERVER", Self.name, 1)
        process.executableURL = URL(filePath: Self.program ?? "/usr/bin/jackd")
        process.arguments = [
            "-n", Self.name, "-r", "--no-mlock", "-S", "-d", "dummy", "-r", "\(sampleRate)", "-p",
            "\(blockFrames)",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    func end() {
        process.terminate()
        process.waitUntilExit()
    }

    deinit { if process.isRunning { end() } }
}

import Foundation

/// The tool as its users run it: a process.
struct Tool {
    struct Outcome {
        /// The exit code; 128 and the signal for one that a signal ended.
        let code: Int32
        let output: String
        let errors: String

        /// Standard output as JSON.
        func json() throws -> [String: Any] {
            let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
            guard let object = value as? [String: Any] else { throw CocoaError(.coderInvalidValue) }
            return object
        }
    }

    /// What every run sees in place of this process's own environment.
    var environment: [String: String] = {
        var environment = ProcessInfo.processInfo.environment
        environment["ECHOEL_MODELS"] = Fixture.path("Models")
        return environment
    }()

    /// Built beside the tests.
    static let executable: URL = {
        #if os(Linux)
            let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        #else
            let tests = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }!.bundleURL
        #endif
        return tests.deletingLastPathComponent().appendingPathComponent("echoel")
    }()

    func start(_ arguments: [String], output: URL, errors: URL) throws -> Process {
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = arguments
        process.environment = environment
        for file in [output, errors] { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }

    func run(_ arguments: String...) throws -> Outcome { try run(arguments) }

    func run(_ arguments: [String]) throws -> Outcome {
        let folder = try TemporaryFolder()
        let (output, errors) = (
            URL(fileURLWithPath: folder.file("out")), URL(fileURLWithPath: folder.file("err"))
        )
        let process = try start(arguments, output: output, errors: errors)
        process.waitUntilExit()
        return Outcome(
            code: Self.code(of: process), output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }

    static func code(of process: Process) -> Int32 {
        process.terminationReason == .uncaughtSignal
            ? 128 + process.terminationStatus : process.terminationStatus
    }
}

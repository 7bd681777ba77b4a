import Foundation

/// Python, which downloads and unpacks wheels. It is asked for nothing else.
struct PythonProgram {
    /// Where it may leave files while it runs.
    let temporaryFolder: String

    struct Outcome {
        let isSuccess: Bool
        /// What it wrote to standard error.
        let errors: String

        /// The last line that says something, for a person.
        var lastLine: String {
            let lines = errors.split(separator: "\n").filter { !$0.allSatisfy(\.isWhitespace) }
            let wanted = lines.last { $0.hasPrefix("ERROR:") } ?? lines.last ?? "it does not say why"
            return Terminal.clean(wanted.replacingOccurrences(of: "ERROR: ", with: ""))
        }
    }

    /// Runs it to its end.
    ///
    /// - Parameter meanwhile: is called ten times a second.
    /// - Throws: `unusable` where there is no Python, `Interrupted` (it is then ended).
    func run(_ arguments: [String], program: String = "python3", meanwhile: () -> Void = {}) throws -> Outcome
    {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        var environment = ProcessInfo.processInfo.environment
        environment["TMPDIR"] = temporaryFolder
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let log = "\(temporaryFolder)/errors"
        FileManager.default.createFile(atPath: log, contents: nil)
        guard let handle = FileHandle(forWritingAtPath: log) else {
            throw ToolError(.unwritable, "\(log) cannot be written. Check the disk.")
        }
        process.standardError = handle
        do {
            try process.run()
        } catch {
            throw ToolError(.unusable, "\(program) cannot be started (\(ToolError.reason(error))).")
        }
        while process.isRunning {
            do {
                try Interruption.check()
            } catch {
                // Not by a signal that threads here may have blocked, which what they start inherits.
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
                throw error
            }
            meanwhile()
            usleep(100_000)
        }
        process.waitUntilExit()
        let errors = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        if process.terminationStatus == 127, process.terminationReason == .exit {
            throw ToolError(
                .unusable, "There is no \(program) here, which unpacks runtimes. Run script/bootstrap.")
        }
        return Outcome(
            isSuccess: process.terminationReason == .exit && process.terminationStatus == 0, errors: errors)
    }
}

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
    /// - Parameters:
    ///   - program: its path; nil for the one on the PATH.
    ///   - meanwhile: is called ten times a second.
    /// - Throws: `unusable` where there is no Python, `Interrupted` (it is then ended).
    func run(
        _ arguments: [String], program: String? = nil, meanwhile: () -> Void = {}
    ) throws -> Outcome {
        try start(program ?? find(), arguments, meanwhile)
    }

    /// Python itself: what the PATH has may be a script that starts it, and would not take it along when it is ended.
    private func find() throws -> String {
        let file = "\(temporaryFolder)/python"
        if let known = try? String(contentsOfFile: file, encoding: .utf8), !known.isEmpty { return known }
        let script = "import sys; open(sys.argv[1], 'w').write(sys.executable)"
        let outcome = try start("/usr/bin/env", ["python3", "-c", script, file]) {}
        guard outcome.isSuccess, let found = try? String(contentsOfFile: file, encoding: .utf8),
            !found.isEmpty
        else {
            throw ToolError(
                .unusable, "There is no python3 here that runs (\(outcome.lastLine)). Run script/bootstrap.")
        }
        return found
    }

    private func start(
        _ program: String, _ arguments: [String], _ meanwhile: () -> Void
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment["TMPDIR"] = temporaryFolder
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let log = "\(temporaryFolder)/errors"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
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
        return Outcome(
            isSuccess: process.terminationReason == .exit && process.terminationStatus == 0, errors: errors)
    }
}

import Foundation

/// Downloads one wheel with pip, which knows this machine's index, mirror, proxy and certificates (`pip config`, `PIP_*`).
struct WheelDownload {
    let package: RuntimePackage
    /// The index; nil for pip's own.
    let index: String?
    /// The folder that the wheel is left in, with a folder `tmp` in it.
    let stage: String

    /// - Returns: the wheel's path.
    /// - Throws: `unusable`, `Interrupted`.
    func run(_ python: PythonProgram) throws -> String {
        let pip = try pipProgram(python)
        // The library needs no Python, so the wheel's version of it need not be the one here.
        var arguments = [
            "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps", "--no-cache-dir",
            "--only-binary", ":all:", "--python-version", "3.12", "--platform", package.wheel.platform,
            "--dest", "\(stage)/download",
        ]
        if let index { arguments += ["--index-url", index] }
        arguments.append("\(package.project)==\(package.version)")

        var progress = Progress(
            package.folderName, total: Double(package.wheel.bytes), of: .bytes)
        defer { progress.finish() }
        let outcome = try python.run(arguments, program: pip) {
            progress.update(Double(RuntimeFolder.bytes(in: stage)))
        }
        let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(stage)/download")) ?? []
        guard outcome.isSuccess, let wheel = files.first(where: { $0.hasSuffix(".whl") }) else {
            throw ToolError(
                .unusable,
                "\(package.project) \(package.version) cannot be downloaded: \(outcome.lastLine). Is there a network "
                    + "connection? With --index URL it comes from another index, with --from FILE.whl from a file."
            )
        }
        return "\(stage)/download/\(wheel)"
    }

    /// A Python that has pip, nil for the usual one; Debian's has not, and can make one that has.
    private func pipProgram(_ python: PythonProgram) throws -> String? {
        if try python.run(["-m", "pip", "--version"]).isSuccess { return nil }
        let outcome = try python.run(["-m", "venv", "\(stage)/tmp/venv"])
        guard outcome.isSuccess else {
            throw ToolError(
                .unusable,
                "Python has no pip here, and cannot make it: \(outcome.lastLine). Run script/bootstrap.")
        }
        return "\(stage)/tmp/venv/bin/python"
    }
}

import Foundation
import Models

/// The runtimes of echoel's data folder: `runtimes/<package>-<version>/`, each complete from the moment that it has its
/// name, and `current`, a link to the one in use. `script/bootstrap` keeps the same order.
struct RuntimeFolder {
    let path: String

    /// - Throws: `unusable` without a data folder.
    static func standard() throws(ToolError) -> RuntimeFolder {
        guard let data = ModelStore.dataFolder() else {
            throw ToolError(.unusable, "There is no home folder. Set ECHOEL_HOME to a folder of yours.")
        }
        return RuntimeFolder(path: "\(data)/runtimes")
    }

    /// One that is there.
    struct Installed: Equatable {
        let name: String
        let path: String
        let kind: RuntimePackage.Kind
        let isInUse: Bool
    }

    private static let link = "current"
    private static let library = "libonnxruntime.so"
    private static let liteRTLibrary = "libLiteRt.so"

    /// What is installed, by name.
    var installed: [Installed] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let used = nameInUse
        return entries.sorted().filter { !$0.hasPrefix(".") && $0 != Self.link }.compactMap { name in
            let folder = "\(path)/\(name)"
            let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            let kind: RuntimePackage.Kind
            if files.contains(Self.library) {
                kind = .onnxRuntime
            } else if files.contains(Self.liteRTLibrary) {
                kind = .liteRT
            } else if files.contains(where: Self.isPlugin) {
                kind = .plugin
            } else {
                return nil
            }
            return Installed(name: name, path: folder, kind: kind, isInUse: name == used)
        }
    }

    /// The folder that `current` leads to, as the link has it; nil where there is none.
    var nameInUse: String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "\(path)/\(Self.link)")
    }

    private static func isPlugin(_ file: String) -> Bool {
        file.hasPrefix("libonnxruntime_providers_") && file.hasSuffix(".so")
    }

    /// The one that people mean by a folder's name, or by a package's: its newest there.
    ///
    /// - Throws: `unusable`, with what is there.
    func find(_ name: String) throws(ToolError) -> Installed {
        let installed = installed
        if let exact = installed.first(where: { $0.name == name }) { return exact }
        let ofPackage = installed.filter { $0.name.hasPrefix("\(name)-") }
        if let newest = ofPackage.max(by: { $0.name.compare($1.name, options: .numeric) == .orderedAscending }
        ) {
            return newest
        }
        let names = installed.map(\.name).joined(separator: ", ")
        throw ToolError(
            .unusable,
            "No runtime \(name) is installed in \(path). "
                + (names.isEmpty ? "None is." : "There are: \(names).")
                + " Install it with: echoel runtime install \(name)")
    }

    /// Makes it the one that everything opens which asks for none.
    ///
    /// - Throws: `unusable` for what is no ONNX Runtime, `unwritable`.
    func use(_ runtime: Installed) throws(ToolError) {
        guard runtime.kind == .onnxRuntime else {
            let what =
                runtime.kind == .plugin
                ? "is a plug-in, which whatever runtime is in use takes by itself."
                : "is there for .tflite models, and nothing has to be chosen for that."
            throw ToolError(
                .unusable, "\(runtime.name) \(what) Choose a runtime, for example: echoel runtime use cpu")
        }
        // Renaming a link over another replaces it at once: there always is one.
        let staged = "\(path)/.current.\(getpid())"
        unsafe unlink(staged)
        guard unsafe symlink(runtime.name, staged) == 0 else { throw failure(errno) }
        guard unsafe rename(staged, "\(path)/\(Self.link)") == 0 else {
            let number = errno
            unsafe unlink(staged)
            throw failure(number)
        }
    }

    /// - Throws: `unusable` for the one in use, `unwritable`.
    func remove(_ runtime: Installed) throws(ToolError) {
        guard !runtime.isInUse else {
            let other = installed.first { $0.kind == .onnxRuntime && !$0.isInUse }?.name
            throw ToolError(
                .unusable,
                "\(runtime.name) is in use. "
                    + (other.map { "First: echoel runtime use \($0)" }
                        ?? "Install another one first, and use it."))
        }
        // Under another name first, so that half a runtime never has a runtime's name.
        let doomed = removedStage
        guard unsafe rename(runtime.path, doomed) == 0 else { throw failure(errno) }
        do {
            try FileManager.default.removeItem(atPath: doomed)
        } catch {
            throw ToolError(
                .unwritable, "\(doomed) cannot be removed (\(error.localizedDescription)). Remove it by hand."
            )
        }
    }

    /// Removes what installations and removals that were killed have left: what nobody has touched for a day.
    func removeLeftovers() {
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: path)) ?? []
        where Self.stages.contains(where: name.hasPrefix) {
            let changed = try? files.attributesOfItem(atPath: "\(path)/\(name)")[.modificationDate] as? Date
            if let changed, changed.timeIntervalSinceNow < -86_400 {
                try? files.removeItem(atPath: "\(path)/\(name)")
            }
        }
    }

    /// Where a folder lies while it has no name yet, or none any more.
    var newStage: String { "\(path)/\(Self.stages[0])\(UInt32.random(in: .min ... .max))" }
    private var removedStage: String { "\(path)/\(Self.stages[1])\(UInt32.random(in: .min ... .max))" }
    private static let stages = [".new.", ".removed."]

    func failure(_ number: Int32) -> ToolError { .writing(path, number) }

    /// Bytes that its files take.
    static func bytes(in folder: String) -> Int {
        let files = FileManager.default
        guard let walk = files.enumerator(atPath: folder) else { return 0 }
        return walk.reduce(into: 0) { total, entry in
            let attributes = (entry as? String).flatMap {
                try? files.attributesOfItem(atPath: "\(folder)/\($0)")
            }
            if attributes?[.type] as? FileAttributeType == .typeRegular {
                total += (attributes?[.size] as? Int) ?? 0
            }
        }
    }
}

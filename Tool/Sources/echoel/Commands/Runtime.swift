import ArgumentParser
import Foundation
import Inference

struct Runtime: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Installs builds of ONNX Runtime and LiteRT, and chooses the ONNX Runtime in use.",
        discussion: """
            Several can be installed side by side. The one in use is what every command opens, unless ECHOEL_ONNXRUNTIME \
            names another library or folder. LiteRT, which runs .tflite models, is used without being chosen; \
            ECHOEL_LITERT names another one.

            Example: run models with OpenVINO:

              echoel runtime install openvino && echoel runtime use openvino

            For another program to read: echoel runtime list --json
            """,
        subcommands: [List.self, Install.self, Use.self, Remove.self], defaultSubcommand: List.self)
}

extension Runtime {
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows what is installed, and what can be.",
            discussion: """
                Example: echoel runtime list --json | jq -r '.runtimes[] | select(.inUse).name'
                """)
        @OptionGroup var report: ReportOptions

        func run() throws {
            let found = Report(try? RuntimeFolder.standard(), RuntimePackage.catalogue)
            if report.json { return try Terminal.result(json: found) }
            var table = Table([.left, .left, .right, .left], header: ["NAME", "STATE", "SIZE", "FOR"])
            for row in found.runtimes {
                let state =
                    row.inUse
                    ? "in use" : row.installed ? (row.isPlugin ? "plug-in" : "installed") : "available"
                table.add(
                    row.name, state, (row.sizeBytes ?? row.downloadBytes ?? 0).megabytes, row.purpose ?? "")
            }
            try Terminal.result(table.text)
        }
    }

    struct Install: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Downloads a runtime, checks it and puts it beside the others.",
            discussion: """
                It comes from the index that pip is set up with (pip config, PIP_INDEX_URL), else from the public one. \
                The first runtime is taken into use.

                Example: without a network, from a wheel that was downloaded elsewhere:

                  echoel runtime install openvino --from onnxruntime_openvino-1.24.1-….whl
                """)
        @Argument(help: "The package: cpu, openvino, cuda, webgpu or litert.") var name: String
        @Option(help: ArgumentHelp("A Python package index to download from.", valueName: "URL")) var index:
            String?
        @Option(
            name: .customLong("from"),
            help: ArgumentHelp("A wheel that is here already.", valueName: "FILE.whl"),
            completion: .file(extensions: ["whl"])) var file: String?
        @OptionGroup var report: ReportOptions

        func validate() throws {
            guard index == nil || file == nil else {
                throw ValidationError("--index and --from exclude each other.")
            }
        }

        func run() throws {
            let package = try RuntimePackage.named(name)
            let folder = try RuntimeFolder.standard()
            let installer = RuntimeInstaller(
                folder: folder, package: package, source: file.map { .file($0) } ?? .index(index))
            let isNew = try installer.install()
            let runtime = try folder.find(package.folderName)
            try Runtime.say(runtime, isNew ? "Installed" : "Already installed:", report)
            if !runtime.isInUse, runtime.kind == .onnxRuntime, !report.json {
                Terminal.note("To use it: echoel runtime use \(package.name)")
            }
        }
    }

    struct Use: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes an installed runtime the one in use.",
            discussion: "Example: echoel runtime use openvino")
        @Argument(help: "A package's name, or one with its version.") var name: String
        @OptionGroup var report: ReportOptions

        func run() throws {
            let folder = try RuntimeFolder.standard()
            let runtime = try folder.find(name)
            try folder.use(runtime)
            try Runtime.say(folder.find(runtime.name), "In use:", report)
            if let other = ProcessInfo.processInfo.environment["ECHOEL_ONNXRUNTIME"], !other.isEmpty {
                Terminal.note("ECHOEL_ONNXRUNTIME is set and comes first: \(Terminal.clean(other))")
            }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes an installed runtime.", discussion: "Example: echoel runtime remove cuda")
        @Argument(help: "A package's name, or one with its version.") var name: String
        @OptionGroup var report: ReportOptions

        func run() throws {
            let folder = try RuntimeFolder.standard()
            let runtime = try folder.find(name)
            try folder.remove(runtime)
            try Runtime.say(runtime, "Removed", report)
        }
    }

    /// What one of them is, after something was done to it.
    fileprivate static func say(_ runtime: RuntimeFolder.Installed, _ verb: String, _ report: ReportOptions)
        throws
    {
        if report.json { return try Terminal.result(json: Change(runtime)) }
        try Terminal.result("\(verb) \(Terminal.clean(runtime.name)) (\(Terminal.clean(runtime.path)))")
    }

    struct Change: Encodable {
        let name, path: String
        let isPlugin, inUse: Bool

        init(_ runtime: RuntimeFolder.Installed) {
            (name, path) = (runtime.name, runtime.path)
            (isPlugin, inUse) = (runtime.kind == .plugin, runtime.isInUse)
        }
    }

    /// Others rely on these keys; more may be added.
    struct Report: Encodable {
        let runtimes: [Row]

        struct Row: Encodable {
            let name: String
            let installed, inUse, isPlugin: Bool
            /// What it takes on disk; nil where it is not installed.
            let sizeBytes: Int?
            /// Nil for one that this version does not know.
            let downloadBytes: Int?
            let purpose: String?
            let path: String?
        }

        init(_ folder: RuntimeFolder?, _ catalogue: [RuntimePackage]) {
            let installed = folder?.installed ?? []
            var rows = installed.map { runtime in
                let known = catalogue.first { $0.folderName == runtime.name }
                return Row(
                    name: runtime.name, installed: true, inUse: runtime.isInUse,
                    isPlugin: runtime.kind == .plugin,
                    sizeBytes: RuntimeFolder.bytes(in: runtime.path), downloadBytes: known?.wheel.bytes,
                    purpose: known?.purpose, path: runtime.path)
            }
            for package in catalogue where !installed.contains(where: { $0.name == package.folderName }) {
                rows.append(
                    Row(
                        name: package.folderName, installed: false, inUse: false,
                        isPlugin: package.kind == .plugin,
                        sizeBytes: nil, downloadBytes: package.wheel.bytes, purpose: package.purpose,
                        path: nil))
            }
            runtimes = rows
        }
    }
}

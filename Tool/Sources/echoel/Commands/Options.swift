import ArgumentParser
import Models

/// `--json`, for commands that report.
struct ReportOptions: ParsableArguments {
    @Flag(help: "Report as JSON on standard output.")
    var json = false
}

/// `--models`, for commands that use instruments.
struct StoreOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder of models.",
            discussion: """
                Without it: $ECHOEL_MODELS, else share/echoel/Models beside the program's folder, else Models in the \
                data folder, else ./Models.
                """, valueName: "folder"),
        completion: .directory)
    var models: String?

    func store() throws(ModelsError) -> ModelStore {
        try ModelStore.locate(in: ModelStore.candidates(named: models))
    }
}

/// `NAME=FILE` of `--input` and `--output`.
struct TensorFile: ExpressibleByArgument, Equatable {
    let name: String
    let file: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "=") else { return nil }
        name = String(argument[..<equals])
        file = String(argument[argument.index(after: equals)...])
        if name.isEmpty || file.isEmpty { return nil }
    }

    static let defaultCompletionKind = CompletionKind.file(extensions: ["npy"])
}

/// `NAME=SIZE` of `--dim`.
struct AxisSize: ExpressibleByArgument, Equatable {
    let name: String
    let size: Int

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let size = Int(parts[1]), 1...65_536 ~= size else {
            return nil
        }
        name = String(parts[0])
        self.size = size
    }
}

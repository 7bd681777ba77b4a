internal import Inference

extension ModelStore {
    /// A folder that may hold the models.
    public struct Candidate: Sendable, Equatable {
        public let folder: String
        /// Why it is looked at: `--models`, `ECHOEL_MODELS`, …
        public let origin: String
        /// Whether someone named it: then nothing else is looked at.
        public let isNamed: Bool

        /// Whether it holds models.
        public var isStore: Bool { BoundedFile.isFolder("\(folder)/NeuralSynth") }
    }

    /// Where models are looked for, in order: `named` (the command line's `--models`), `ECHOEL_MODELS`,
    /// `../share/echoel/Models` beside the executable, `Models` in the data folder, `./Models`.
    public static func candidates(named: String? = nil) -> [Candidate] {
        candidates(
            named: named, variable: environmentVariable, executable: OnnxRuntime.executablePath())
    }

    /// - Parameter variable: an environment variable's value, nil where it is unset or empty.
    static func candidates(
        named: String? = nil, variable: (String) -> String?, executable: String?
    ) -> [Candidate] {
        if let named { return [Candidate(folder: named, origin: "--models", isNamed: true)] }
        if let folder = variable("ECHOEL_MODELS") {
            return [Candidate(folder: folder, origin: "ECHOEL_MODELS", isNamed: true)]
        }
        var candidates: [Candidate] = []
        func add(_ folder: String, _ origin: String) {
            candidates.append(Candidate(folder: folder, origin: origin, isNamed: false))
        }
        if let executable {
            let prefix = OnnxRuntime.folder(of: OnnxRuntime.folder(of: executable))
            add("\(prefix)/share/echoel/Models", "beside the executable")
        }
        if let data = OnnxRuntime.dataFolder(variable) { add("\(data)/Models", "the data folder") }
        add("Models", "the current folder")
        return candidates
    }

    /// `echoel`'s data folder: `ECHOEL_HOME`, else the platform's place for it; nil without a home.
    public static func dataFolder() -> String? { OnnxRuntime.dataFolder() }

    /// The first candidate that holds models.
    ///
    /// - Throws: `noModels`, with every place that was looked at.
    public static func locate(in candidates: [Candidate]) throws(ModelsError) -> ModelStore {
        if let found = candidates.first(where: \.isStore) { return ModelStore(folder: found.folder) }
        if let named = candidates.first, named.isNamed {
            let what =
                BoundedFile.isFolder(named.folder)
                ? "the folder has no NeuralSynth in it" : "there is no such folder"
            throw ModelsError(
                .noModels, file: named.folder, "\(what), and \(named.origin) names it",
                remedy: "Give the folder Models of this project or one laid out like it")
        }
        let places = candidates.map { "\($0.folder) (\($0.origin))" }.joined(separator: ", ")
        throw ModelsError(
            .noModels, file: "", "no folder of models was found; looked at \(places)",
            remedy: "Give it with --models or ECHOEL_MODELS")
    }
}

import ArgumentParser
import Inference
import Models

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs a model on NumPy files.",
        discussion: """
            Inputs and outputs are .npy files of float32, float16, int64 or int32. Every output is computed before \
            the first file is written, and a file appears under its name only when it is complete.

            Example: one run of a decoder:

              echoel run decoder.onnx --input latent=z.npy --output audio=y.npy
            """)

    @Argument(
        help: "The model, an .onnx or .tflite file.", completion: .file(extensions: ["onnx", "tflite"]))
    var model: String
    @Option(help: ArgumentHelp("An input and its file; once for each input.", valueName: "name=file.npy"))
    var input: [TensorFile] = []
    @Option(
        help: ArgumentHelp("An output and its file; once for each one wanted.", valueName: "name=file.npy"))
    var output: [TensorFile] = []
    @Option(help: "Threads of a run, 1 to 64.")
    var threads = 1
    @OptionGroup var acceleration: AccelerationOptions
    @OptionGroup var report: ReportOptions

    func validate() throws {
        guard 1...64 ~= threads else { throw ValidationError("--threads takes 1 to 64, not \(threads).") }
        for (what, list) in [("--input", input), ("--output", output)] {
            var names: Set<String> = []
            for tensor in list where !names.insert(tensor.name).inserted {
                throw ValidationError("\(what) \(tensor.name) is given twice.")
            }
        }
        var files: Set<String> = []
        for tensor in output where !files.insert(tensor.file).inserted {
            throw ValidationError("Two outputs go to \(tensor.file).")
        }
    }

    func run() throws {
        let session = try Session(
            model: model,
            options: acceleration.sessionOptions(
                threads: threads, manifest: try ModelManifest.beside(model: model)))
        try check(session)
        var tensors: [String: Tensor] = [:]
        for given in input {
            let array = try NumPyArray(contentsOf: given.file)
            guard let info = session.inputs.first(where: { $0.name == given.name }) else { continue }
            tensors[given.name] = try Self.tensor(array, for: info, file: given.file)
        }
        let clock = ContinuousClock()
        let start = clock.now
        let results = try session.run(tensors, outputs: output.map(\.name))
        let milliseconds = (clock.now - start) / .milliseconds(1)

        var written: [Report.Output] = []
        var staged: [(file: String, bytes: [UInt8])] = []
        for wanted in output {
            guard let tensor = results[wanted.name], let array = NumPyArray(tensor) else {
                throw ToolError(.wrongTensors, "\(model): the output \(wanted.name) was not computed.")
            }
            staged.append((wanted.file, array.fileBytes))
            written.append(
                Report.Output(
                    name: wanted.name, file: wanted.file, shape: array.shape, type: array.element.name))
        }
        try StagedFiles.write(staged)
        if report.json {
            try Terminal.result(
                json: Report(
                    outputs: written, milliseconds: milliseconds.rounded(decimals: 4),
                    provider: session.provider))
        } else {
            for output in written {
                Terminal.note("\(output.name): \(output.type) \(output.shape) in \(output.file)")
            }
        }
    }

    /// What the command line lacks or has too much, with the shapes that would do.
    private func check(_ session: Session) throws {
        for (kind, given, infos) in [("input", input, session.inputs), ("output", output, session.outputs)] {
            let list = infos.map(\.description).joined(separator: "; ")
            if let unknown = given.first(where: { tensor in !infos.contains { $0.name == tensor.name } }) {
                throw ToolError(.wrongTensors, "\(model) has no \(kind) \(unknown.name). It has: \(list).")
            }
            if kind == "output", given.isEmpty {
                throw ToolError(
                    .wrongTensors,
                    "No output is asked for. Add --output NAME=FILE.npy; \(model) gives: \(list).")
            }
        }
        let missing = session.inputs.filter { info in !input.contains { $0.name == info.name } }
        if !missing.isEmpty {
            let list = missing.map(\.description).joined(separator: "; ")
            throw ToolError(
                .wrongTensors,
                "\(model) needs \(missing.count == 1 ? "one more input" : "\(missing.count) more inputs"): \(list). "
                    + "Add --input NAME=FILE.npy for each.")
        }
    }

    private static func tensor(_ array: NumPyArray, for info: TensorInfo, file: String) throws -> Tensor {
        guard info.elementType == array.element.elementType else {
            throw ToolError(
                .unsupportedArray,
                "\(file) holds \(array.element.name), and the input \(info) takes \(info.elementType.name). "
                    + "Save it with a.astype('\(info.elementType.name)').")
        }
        let fits =
            info.shape.count == array.shape.count
            && zip(info.shape, array.shape).allSatisfy { axis, size in
                if case .fixed(let fixed) = axis { fixed == size } else { true }
            }
        guard fits else {
            throw ToolError(
                .unsupportedArray,
                "\(file) has the shape \(array.shape), and the input is \(info). Reshape it.")
        }
        return try Tensor(elementType: array.element.elementType, shape: array.shape, bytes: array.bytes)
    }

    struct Report: Encodable {
        struct Output: Encodable {
            let name, file: String
            let shape: [Int]
            let type: String
        }

        let outputs: [Output]
        let milliseconds: Double
        let provider: String
    }
}

import ArgumentParser
import Inference
import Models

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what a model takes, gives and says about itself.",
        discussion: """
            A manifest beside the model (MODEL.json) is read and compared with it. The command fails when the two \
            contradict each other, or when the model computes numbers that are not finite.

            Example: the names of a model's inputs:

              echoel inspect rave_decoder.onnx --json | jq -r '.inputs[].name'
            """)

    @Argument(
        help: "The model, an .onnx or .tflite file.", completion: .file(extensions: ["onnx", "tflite"]))
    var model: String
    @OptionGroup var report: ReportOptions

    func run() throws {
        let session = try Session(model: model, options: SessionOptions(probe: false))
        var problems: [any Error] = []
        let manifest = manifest(session, &problems)
        do throws(InferenceError) {
            _ = try Session(model: model)
        } catch {
            problems.append(error)
        }
        let report = Report(
            file: model, inputs: session.inputs.map(Report.Tensor.init),
            outputs: session.outputs.map(Report.Tensor.init), sizeBytes: session.sizeBytes,
            provider: session.provider, metadata: session.metadata, manifest: manifest,
            problems: problems.map { "\($0)" })
        if self.report.json {
            try Terminal.result(json: report)
        } else {
            try Terminal.result(report.text)
        }
        for problem in problems.dropLast() { Terminal.failure(problem) }
        if let last = problems.last { throw last }
    }

    private func manifest(_ session: Session, _ problems: inout [any Error]) -> Report.Manifest? {
        do throws(ModelsError) {
            guard let manifest = try ModelManifest.beside(model: model) else { return nil }
            do throws(ModelsError) { try manifest.verify(model) } catch { problems.append(error) }
            do throws(ModelsError) { try manifest.check(against: session) } catch { problems.append(error) }
            return Report.Manifest(manifest, file: ModelManifest.path(besideModel: model))
        } catch {
            problems.append(error)
            return nil
        }
    }

    /// Others rely on these keys; more may be added.
    struct Report: Encodable {
        struct Tensor: Encodable {
            let name: String
            let shape: [Axis]
            let type: String

            init(_ info: TensorInfo) {
                name = info.name
                shape = info.shape.map(Axis.init)
                type = info.elementType.name
            }
        }

        /// A number, or a dynamic axis's name.
        enum Axis: Encodable {
            case fixed(Int)
            case dynamic(String)

            init(_ dimension: Dimension) {
                switch dimension {
                case .fixed(let size): self = .fixed(size)
                case .dynamic: self = .dynamic(dimension.description)
                }
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                switch self {
                case .fixed(let size): try container.encode(size)
                case .dynamic(let name): try container.encode(name)
                }
            }

            var text: String {
                switch self {
                case .fixed(let size): "\(size)"
                case .dynamic(let name): name
                }
            }
        }

        struct Manifest: Encodable {
            let file, kind, name, licence: String
            let authors: [String]

            init(_ manifest: ModelManifest, file: String) {
                self.file = file
                kind = manifest.kind.rawValue
                name = manifest.name
                licence = manifest.licence
                authors = manifest.authors
            }
        }

        let file: String
        let inputs, outputs: [Tensor]
        let sizeBytes: Int
        let provider: String
        let metadata: [String: String]
        let manifest: Manifest?
        let problems: [String]

        private enum Key: String, CodingKey {
            case file, inputs, outputs, sizeBytes, provider, metadata, manifest, problems
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(file, forKey: .file)
            try container.encode(inputs, forKey: .inputs)
            try container.encode(outputs, forKey: .outputs)
            try container.encode(sizeBytes, forKey: .sizeBytes)
            try container.encode(provider, forKey: .provider)
            try container.encode(metadata, forKey: .metadata)
            // A key that is always there, null without a manifest.
            try container.encode(manifest, forKey: .manifest)
            try container.encode(problems, forKey: .problems)
        }

        var text: String {
            var facts = Table([.left, .left])
            facts.add("file", file)
            facts.add("size", "\(sizeBytes) bytes")
            facts.add("provider", provider)
            if let manifest {
                facts.add("manifest", "\(manifest.file) (\(manifest.kind))")
                facts.add("licence", manifest.licence)
                facts.add("authors", manifest.authors.joined(separator: ", "))
            } else if problems.isEmpty {
                facts.add("manifest", "none")
            }
            for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { facts.add(key, value) }
            var tensors = Table([.left, .left, .left, .left])
            for (kind, list) in [("input", inputs), ("output", outputs)] {
                for tensor in list {
                    tensors.add(
                        kind, tensor.name, tensor.type,
                        "[\(tensor.shape.map(\.text).joined(separator: ", "))]")
                }
            }
            return "\(facts.text)\n\n\(tensors.text)"
        }
    }
}

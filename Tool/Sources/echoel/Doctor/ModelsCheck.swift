import Inference
import Models

/// Whether models are there, and whether each instrument is whole: its files' SHA-256, and its manifests against
/// the models themselves where ONNX Runtime can be had.
enum ModelsCheck {
    static func run(_ candidates: [ModelStore.Candidate], _ runtime: OnnxRuntime?, _ checks: inout [Check]) {
        do throws(ModelsError) {
            let store = try ModelStore.locate(in: candidates)
            let listing = try store.listing()
            let count = listing.instruments.count
            if count == 0, listing.problems.isEmpty {
                checks.append(
                    .failed(
                        "models", "\(store.folder) holds no instruments",
                        fix: "give the folder Models of this project with --models or ECHOEL_MODELS"))
            } else {
                checks.append(
                    .passed("models", "\(store.folder), \(count) instrument\(count == 1 ? "" : "s")"))
            }
            for problem in listing.problems { checks.append(failure("instrument", problem)) }
            for instrument in listing.instruments {
                check(instrument, store, runtime, &checks)
                do throws(ModelsError) {
                    try store.checkCard(of: instrument)
                } catch {
                    checks.append(failure("card of \(instrument.name)", error))
                }
            }
        } catch {
            checks.append(failure("models", error))
        }
    }

    private static func check(
        _ instrument: InstrumentManifest, _ store: ModelStore, _ runtime: OnnxRuntime?,
        _ checks: inout [Check]
    ) {
        let name = "instrument \(instrument.name)"
        do {
            let installed = try store.verify(instrument, withEncoder: true)
            let models = [installed.decoder, installed.prior] + (installed.encoder.map { [$0] } ?? [])
            let files = models.map(\.manifest.file).joined(separator: ", ")
            guard let runtime else {
                checks.append(
                    .passed(name, "\(files): SHA-256 as published; not run, for want of ONNX Runtime"))
                return
            }
            for model in models {
                try model.manifest.check(against: try Session(runtime, model: model.path))
            }
            checks.append(.passed(name, "\(files): SHA-256 as published, loads, fits its manifests"))
        } catch let error as ModelsError {
            checks.append(failure(name, error))
        } catch {
            checks.append(.failed(name, "\(error)", fix: "download or export the model again"))
        }
    }

    private static func failure(_ name: String, _ error: ModelsError) -> Check {
        let place = [error.file, error.key].filter { !$0.isEmpty }.map { "\($0): " }.joined()
        return .failed(
            name, place + error.reason, fix: error.remedy.prefix(1).lowercased() + error.remedy.dropFirst())
    }
}

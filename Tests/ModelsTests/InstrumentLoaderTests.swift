import Foundation
import Inference
import Models
import NeuralSynth
import Streaming
import TestSupport
import Testing

@Suite("Loading an instrument")
struct InstrumentLoaderTests {
    private func loader(_ folder: String) throws -> InstrumentLoader {
        InstrumentLoader(
            runtime: try OnnxRuntime.open(), store: ModelStore(instrumentsIn: folder), threads: 1)
    }

    @Test("opens the models that lie beside it, those of the same bytes once")
    func loads() throws {
        var loader = try loader("\(repositoryRoot)/Tests/Fixtures")
        let (sine, soft) = (
            try loader.load(try loader.store.instrument(named: "sine")),
            try loader.load(try loader.store.instrument(named: "soft"))
        )
        #expect(sine.name == "sine")
        #expect(sine.decoder.description.sampleRate == 48_000)
        #expect(sine.decoder === soft.decoder)
    }

    @Test("refuses a model that is not the one that its manifest describes")
    func changed() throws {
        let folder = try TemporaryFolder()
        for name in [
            "sine.instrument.json", "sine_decoder.onnx", "sine_decoder.json", "sine_prior.onnx",
            "sine_prior.json",
        ] {
            var bytes = Array(try Data(contentsOf: URL(filePath: fixture(name))))
            if name == "sine_prior.onnx" { bytes[bytes.count / 2] ^= 1 }
            _ = try folder.write(name, bytes)
        }
        var loader = try loader(folder.path)
        let manifest = try loader.store.instrument(named: "sine")
        let error = #expect(throws: ModelsError.self) { try loader.load(manifest) }
        #expect(error?.code == .digestMismatch)
        #expect(error?.file == "\(folder.path)/sine_prior.onnx")
    }
}

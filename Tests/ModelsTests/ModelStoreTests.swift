import Foundation
import Inference
import TestSupport
import Testing

@testable import Models

@Suite("The store of models")
struct ModelStoreTests {
    /// A store with one instrument whose models are three bytes each.
    private struct Installed {
        let folder = try! TemporaryFolder()
        var store: ModelStore { ModelStore(folder: folder.path) }

        init(
            prior: JSONValue = Example.prior, _ change: (JSONValue) -> JSONValue = { $0 }
        ) throws {
            // printf '\1\2\3' | sha256sum
            let digest = "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81"
            for (name, example) in [("decoder", Example.decoder), ("prior", prior)] {
                _ = try folder.write("NeuralSynth/\(name).onnx", [1, 2, 3])
                _ = try folder.write(
                    "NeuralSynth/\(name).json", example.setting("sha256", .text(digest)).bytes)
            }
            let instrument = Example.instrument.setting("decoder.sha256", .text(digest))
                .setting("prior.sha256", .text(digest.uppercased()))
            _ = try folder.write("NeuralSynth/strings.instrument.json", change(instrument).bytes)
        }

        func spoil(_ file: String, _ bytes: [UInt8]) throws {
            _ = try folder.write("NeuralSynth/\(file)", bytes)
        }
        func remove(_ file: String) throws {
            try FileManager.default.removeItem(atPath: "\(folder.path)/NeuralSynth/\(file)")
        }
        func verify() throws -> InstalledInstrument {
            try store.verify(try store.instrument(named: "strings"))
        }
    }

    @Test("finds an instrument and the models that it pins")
    func finds() throws {
        let installed = try Installed()
        let instrument = try installed.verify()
        #expect(instrument.decoder.path == installed.folder.path + "/NeuralSynth/decoder.onnx")
        #expect(instrument.decoder.manifest.kind == .streamingDecoder)
        #expect(instrument.prior.manifest.kind == .prior)
        #expect(try installed.store.listing().instruments.map(\.name) == ["strings"])
    }

    @Test("refuses a model whose bytes changed")
    func changedBytes() throws {
        for bytes: [UInt8] in [[1, 2, 4], [1, 2], []] {
            let installed = try Installed()
            try installed.spoil("prior.onnx", bytes)
            let error = #expect(throws: ModelsError.self) { try installed.verify() }
            #expect(error?.code == .digestMismatch)
            #expect(error?.file.hasSuffix("prior.onnx") == true)
        }
    }

    @Test("says which file of an instrument is missing")
    func missingFiles() throws {
        for file in ["decoder.onnx", "decoder.json", "prior.onnx", "prior.json"] {
            let installed = try Installed()
            try installed.remove(file)
            let error = #expect(throws: ModelsError.self) { try installed.verify() }
            #expect(error?.code == .fileNotFound)
            #expect(error?.file.hasSuffix(file) == true)
        }
    }

    @Test("refuses an instrument that contradicts its models")
    func contradictions() throws {
        for (path, value) in [
            ("decoder.sha256", JSONValue.text(Example.digest)), ("instrument", "tuba"),
            ("prior.file", "decoder.onnx"),
            ("decoder.file", "prior.onnx"), ("temperature", 1),
        ] {
            let installed = try Installed { $0.setting(path, value) }
            let error = #expect(throws: ModelsError.self) { try installed.verify() }
            #expect(error?.code == .contradiction)
            #expect(error?.key == path)
        }
    }

    @Test("names the instrument's column if and only if the prior has such columns")
    func instrumentColumn() throws {
        let alone = Example.prior.setting("instruments", .list([])).setting(
            "columns",
            .list(["pitch", "velocity", "secondsOn", "secondsOff", "variation", "temperature"]))
        let installed = try Installed(prior: alone) {
            $0.removing("instrument").setting("temperature", .number(0.5))
        }
        #expect(try installed.verify().manifest.instrument == nil)

        let named = try Installed(prior: alone)
        let superfluous = #expect(throws: ModelsError.self) { try named.verify() }
        #expect(superfluous?.code == .contradiction)
        #expect(superfluous?.key == "instrument")
        #expect(superfluous?.remedy.hasPrefix("Remove the key") == true)

        let nameless = try Installed { $0.removing("instrument") }
        let missing = #expect(throws: ModelsError.self) { try nameless.verify() }
        #expect(missing?.code == .missingKey)
        #expect(missing?.key == "instrument")
        #expect(missing?.remedy == "Name one of them: strings, trumpet")
    }

    @Test("refuses a prior and a decoder of different latents")
    func latentSizes() throws {
        let installed = try Installed()
        let digest = try FileDigest(of: installed.folder.path + "/NeuralSynth/prior.onnx").sha256
        let prior = Example.prior.setting("outputs[0].shape[1]", 64).setting("sha256", .text(digest))
        try installed.spoil("prior.json", try prior.bytes)
        let error = #expect(throws: ModelsError.self) { try installed.verify() }
        #expect(error?.code == .contradiction)
        #expect(error?.reason.contains("64") == true)
    }

    @Test("refuses an encoder that does not fit its decoder, where the encoder is asked for")
    func encoders() throws {
        let good = Example.encoder.setting("name", "encoder").setting("file", "encoder.onnx")
        for (change, words) in [
            (good, nil), (good.setting("sampleRate", 44_100), "44100"),
            (good.setting("outputs[0].shape[1]", 64), "64"),
        ] as [(JSONValue, String?)] {
            let installed = try Installed()
            let decoder = installed.folder.path + "/NeuralSynth/decoder.onnx"
            let digest = JSONValue.text(try FileDigest(of: decoder).sha256)
            try installed.spoil("encoder.onnx", [1, 2, 3])
            try installed.spoil("encoder.json", try change.setting("sha256", digest).bytes)
            var instrument = try installed.store.instrument(named: "strings")
            instrument.encoder = .init(file: "encoder.onnx", sha256: try FileDigest(of: decoder).sha256)
            #expect(try installed.store.verify(instrument).encoder == nil)
            guard let words else {
                let found = try installed.store.verify(instrument, withEncoder: true)
                #expect(found.encoder?.manifest.latentSamples == 2048)
                continue
            }
            let error = #expect(throws: ModelsError.self) {
                try installed.store.verify(instrument, withEncoder: true)
            }
            #expect(error?.code == .contradiction)
            #expect(error?.key == "encoder")
            #expect(error?.reason.contains(words) == true)
        }
    }

    @Test("names what is installed when asked for what is not")
    func unknownInstrument() throws {
        let installed = try Installed()
        for name in ["tuba", "", "../NeuralSynth/strings", "strings\u{0}"] {
            let error = #expect(throws: ModelsError.self) { try installed.store.instrument(named: name) }
            #expect(error?.code == .unknownInstrument)
            #expect(error?.remedy == "Installed: strings")
        }
    }

    @Test("lists what it can and says why not the rest")
    func listing() throws {
        let installed = try Installed()
        try installed.spoil("broken.instrument.json", Array("{".utf8))
        try installed.spoil("notes.txt", [])
        let listing = try installed.store.listing()
        #expect(listing.instruments.map(\.name) == ["strings"])
        #expect(listing.problems.map(\.code) == [.notJSON])
    }

    @Test("is looked for where it was named, and nowhere else")
    func named() throws {
        let installed = try Installed()
        let environment = ["ECHOEL_MODELS": "/elsewhere", "HOME": "/home/me"]
        let named = ModelStore.candidates(
            named: installed.folder.path, variable: { environment[$0] }, executable: nil)
        #expect(try ModelStore.locate(in: named) == installed.store)
        let wrong = ModelStore.candidates(variable: { environment[$0] }, executable: nil)
        #expect(wrong.map(\.folder) == ["/elsewhere"])
        let error = #expect(throws: ModelsError.self) { try ModelStore.locate(in: wrong) }
        #expect(error?.code == .noModels)
        #expect(error?.reason.contains("ECHOEL_MODELS") == true)
    }

    @Test("is looked for beside the program, in the data folder, then here")
    func order() throws {
        let candidates = ModelStore.candidates(
            variable: { ["HOME": "/home/me"][$0] }, executable: "/opt/echoel/bin/echoel")
        #expect(candidates.first?.folder == "/opt/echoel/share/echoel/Models")
        #expect(candidates.last?.folder == "Models")
        #expect(candidates.count == 3)
        let home = ModelStore.candidates(variable: { ["ECHOEL_HOME": "/data"][$0] }, executable: nil)
        #expect(home.map(\.folder) == ["/data/Models", "Models"])
        let error = #expect(throws: ModelsError.self) { try ModelStore.locate(in: []) }
        #expect(error?.code == .noModels)
    }

    #if os(Linux)
        @Test("of a user lies where XDG says")
        func dataFolder() {
            func folder(_ environment: [String: String]) -> String? {
                OnnxRuntime.dataFolder { environment[$0] }
            }
            #expect(folder(["HOME": "/home/me"]) == "/home/me/.local/share/echoel")
            #expect(folder(["HOME": "/home/me", "XDG_DATA_HOME": "/x"]) == "/x/echoel")
            #expect(folder(["ECHOEL_HOME": "/e", "XDG_DATA_HOME": "/x"]) == "/e")
            #expect(folder([:]) == nil)
        }
    #endif
}

import Foundation
import TestSupport
import Testing

@testable import Inference

@Suite struct TFLiteFileTests {
    func reason(_ bytes: [UInt8]) -> String? {
        let error = #expect(throws: InferenceError.self) { try TFLiteFile(bytes, name: "test.tflite") }
        #expect(error?.code == .modelUnreadable)
        #expect(error?.message.contains("test.tflite") == true)
        return error?.message
    }

    @Test func shapesAndTypesAreRead() throws {
        let file = try TFLiteFile(TFLiteModel.dense(), name: "dense")
        #expect(
            file.tensors.map(\.shape) == [
                [.dynamic(nil), .fixed(4)], [.fixed(2), .fixed(4)], [.dynamic(nil), .fixed(2)],
            ])
        #expect(file.tensors.map(\.elementType) == [.float32, .float32, .float32])
        #expect(file.metadata["description"] == "made by a test")
        #expect(file.state == nil)
        let fixed = try TFLiteFile(TFLiteModel.dense(rows: 5), name: "dense")
        #expect(fixed.tensors[0].shape == [.fixed(5), .fixed(4)])
        #expect(
            try TFLiteFile(TFLiteModel.addition(type: 9), name: "addition").tensors[0].elementType == .int8)
    }

    @Test func whatIsNoModelIsRefused() {
        #expect(reason([])?.contains("no mark TFL3") == true)
        #expect(reason(Array("hello, I am a text file".utf8))?.contains("no mark TFL3") == true)
        #expect(reason([0, 0, 0, 0] + Array("TFL3".utf8))?.contains("Export") == true)
        let old = TFLiteModel.model(
            codes: [], tensors: [], inputs: [], outputs: [], operations: [], version: 2)
        #expect(reason(old)?.contains("version 2") == true)
    }

    @Test func aModelCutAnywhereIsRefused() {
        // The last constant's bytes are the end of the file.
        let whole = TFLiteModel.dense()
        for length in 0..<whole.count { #expect(reason(Array(whole[..<length])) != nil, "\(length) bytes") }
        #expect(throws: Never.self) { try TFLiteFile(whole, name: "whole") }
    }

    @Test func numbersOfWhatIsNotThereAreRefused() {
        #expect(reason(TFLiteModel.dense(weightBytes: 28))?.contains("32 bytes has 28") == true)
        #expect(reason(TFLiteModel.dense(weightBuffer: 2))?.contains("no buffer") == true)
        #expect(reason(TFLiteModel.dense(weight: 3))?.contains("not there") == true)
        #expect(reason(TFLiteModel.dense(weight: -2))?.contains("not there") == true)
    }

    @Test func theFixtureIsMadeHere() throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture("identity.tflite")))
        #expect([UInt8](bytes) == TFLiteModel.identity())
    }

    @Test func statesOfItsOwnAreSeen() throws {
        #expect(try TFLiteFile(TFLiteModel.addition(isVariable: true), name: "state").state != nil)
    }

    /// Whatever a byte is changed to: an error, or a description.
    @Test func aChangedByteNeverTraps() {
        let whole = TFLiteModel.dense()
        for position in whole.indices {
            for value: UInt8 in [0, 1, 127, 128, 255] {
                var changed = whole
                changed[position] = value
                _ = try? TFLiteFile(changed, name: "changed")
            }
        }
    }
}

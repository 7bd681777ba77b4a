import Models

/// Any bytes are a manifest or an error, whichever of the two kinds they are read as.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzManifest(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    if let model = try? ModelManifest(json: bytes, file: "fuzz.json"), model.kind == .streamingDecoder {
        _ = try? model.decoderDescription()
    }
    if let instrument = try? InstrumentManifest(json: bytes, file: "fuzz.instrument.json") {
        precondition(instrument.lowKey <= instrument.highKey && instrument.highKey < 128)
        precondition(instrument.gain.isFinite && instrument.releaseSeconds.isFinite)
    }
    return 0
}
